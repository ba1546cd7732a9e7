// npm stop: ends every process and Pod of the cluster and cleans up after it. State stays.
import { helpText, readConfig } from './config.mjs';
import { startedCluster, stopCluster } from './cluster.mjs';
import { inNetworkOf } from './network-namespace.mjs';
import { checkRoot } from './preflight.mjs';
import { reportFailure } from './report.mjs';
import { step } from './steps.mjs';

await reportFailure(async () => {
  const config = readConfig(process.argv.slice(2), process.env);
  if (config.help) return console.log(helpText('npm stop'));
  checkRoot('npm stop');
  const started = await startedCluster(config);
  if (started && (await inNetworkOf(started))) return;
  const left = await step('stop', (update) => stopCluster(config, update));
  if (left.length > 0) throw new Error(`Left behind: ${left.join(', ')}`);
  if (!started) return console.log(`No cluster was running in ${config.run}.`);
  console.log(`\nStopped. Its state is kept in ${config.home}; npm start goes on from it, npm run reset removes it.`);
});
