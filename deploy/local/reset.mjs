// npm run reset: npm stop, then removes the state. Built images stay cached.
import { existsSync } from 'node:fs';
import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { helpText, places, readConfig } from './config.mjs';
import { startedCluster, stopCluster } from './cluster.mjs';
import { Failure } from './failure.mjs';
import { inNetworkOf } from './network-namespace.mjs';
import { checkRoot } from './preflight.mjs';
import { reportFailure } from './report.mjs';
import { step } from './steps.mjs';

await reportFailure(async () => {
  const config = readConfig(process.argv.slice(2), process.env);
  if (config.help) return console.log(helpText('npm run reset'));
  checkRoot('npm run reset');
  const { home } = config;
  const entries = existsSync(home) ? await readdir(home) : [];
  if (entries.length > 0 && !existsSync(places(config).mark) && !entries.includes('registry-check.json')) {
    throw new Failure(
      `${home} does not look like a cluster's state.`,
      'Correct --home or NAVARCH_HOME, or remove it yourself.',
    );
  }
  const started = await startedCluster(config);
  if (started && (await inNetworkOf(started))) return;
  const left = await step('stop', (update) => stopCluster(config, update));
  await step(`remove ${home}`, async () => {
    for (const entry of entries) await rm(join(home, entry), { recursive: true, force: true });
    await rmdir(home).catch(() => {}); // one that is a mount point stays, empty
  });
  if (left.length > 0) throw new Error(`Left behind: ${left.join(', ')}`);
});
