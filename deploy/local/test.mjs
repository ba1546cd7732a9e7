// npm test: sets up what the tests need and runs all of them. Arguments go on to vitest.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildImages } from '../images/build.mjs';
import { readConfig } from './config.mjs';
import { foreignClients } from './foreign-clients.mjs';
import { installPackages, missingPackages } from './packages.mjs';
import { checkMachine } from './preflight.mjs';
import { reportFailure } from './report.mjs';
import { step } from './steps.mjs';
import { buildWorkspace, installModules, nodeProgram, repository, workspaceEnv } from './workspace.mjs';

await reportFailure(async () => {
  const { cache } = readConfig([], process.env);
  await checkMachine();
  const missing = missingPackages({ localRegistry: true, without: [] });
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(', ');
    await step(`install Debian packages: ${names}`, (update) => installPackages(missing, update));
  }
  await step('install npm packages', installModules, { quietUnless: (did) => did });
  await step('build', buildWorkspace, { quietUnless: (did) => did });
  const images = await step('images from Debian packages', (update) => buildImages(cache, update));
  const clients = await step('kubectl and helm', () => foreignClients(cache));
  for (const [name, why] of Object.entries(clients.missing))
    console.log(`    without ${name}, its tests are skipped: ${why}`);

  const folder = await mkdtemp(join(tmpdir(), 'navarch-test-'));
  try {
    const report = join(folder, 'report.json');
    const env = { NAVARCH_TEST_IMAGES: images, ...named(clients.found) };
    const code = await vitest(env, ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]);
    const { passed, failed } = await countTests(report, code);
    console.log(`\n${passed} passed, ${failed} failed`);
    if (failed > 0) process.exitCode = 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/** Where tests find the programs. @param {Record<string, string>} programs */
function named(programs) {
  return Object.fromEntries(
    Object.entries(programs).map(([name, path]) => [`NAVARCH_TEST_${name.toUpperCase()}`, path]),
  );
}

/** @param {Record<string, string>} env @param {string[]} args @returns {Promise<number>} its exit code */
function vitest(env, args) {
  const program = join(repository, 'node_modules/vitest/vitest.mjs');
  // In a network of their own, so that they may run beside a cluster.
  const inNetwork = [join(repository, 'test/in-network.mjs'), nodeProgram(), program, 'run'];
  const child = spawn(nodeProgram(), [...inNetwork, ...args, ...process.argv.slice(2)], {
    cwd: repository,
    env: { ...workspaceEnv(), ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  // Ctrl-C reaches vitest too, which cleans up first.
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}

/**
 * @param {string} report vitest's JSON report
 * @param {number} code vitest's exit code: errors outside any test end it with 1 too, and are a failure
 */
async function countTests(report, code) {
  /** @type {{ numPassedTests: number, numFailedTests: number,
   *   testResults: { status: string, assertionResults: { status: string }[] }[] }} */
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(
    await readFile(report, 'utf8').catch(() => '{"numPassedTests":0,"numFailedTests":0,"testResults":[]}'),
  );
  // A file that can't be loaded holds no test that could fail.
  const broken = testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed'),
  );
  const failed = numFailedTests + broken.length;
  return { passed: numPassedTests, failed: failed === 0 && code !== 0 ? 1 : failed };
}
