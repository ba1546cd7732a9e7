// npm run test:compose: docker-compose.yml on a real Docker engine of its own: three nodes, the example spread over them,
// one node's container killed and its Pods moved, another host's node joined. Everything it started is removed again;
// images stay cached in NAVARCH_CACHE.
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildImages } from '../images/build.mjs';
import { readConfig } from '../local/config.mjs';
import { must, run } from '../local/exec.mjs';
import { installPackages, missingPackages } from '../local/packages.mjs';
import { checkMachine } from '../local/preflight.mjs';
import { reportFailure } from '../local/report.mjs';
import { step } from '../local/steps.mjs';
import { buildWorkspace, installModules, nodeProgram } from '../local/workspace.mjs';
import { composeOn } from './compose.mjs';
import { startEngine } from './engine.mjs';
import { ensureBaseImage, makeAppImage, pruneImages } from './images.mjs';

const { cache } = readConfig([], process.env);
const namespace = `navarch-compose-${process.pid}`;
const place = { home: join(cache, 'engine'), run: `/run/navarch-compose-${process.pid}` };
const tools = [
  { name: 'docker.io', file: '/usr/sbin/dockerd', unit: 'docker.service' },
  { name: 'docker-compose', file: '/usr/bin/docker-compose' },
  { name: 'debootstrap', file: '/usr/sbin/debootstrap' },
];

await reportFailure(async () => {
  await checkMachine();
  await step('Debian packages', async (update) => {
    const absent = tools.filter(({ file }) => !existsSync(file));
    await installPackages([...absent, ...missingPackages({ localRegistry: true, without: [] })], update);
  });
  await step('install npm packages', installModules, { quietUnless: (did) => did });
  if (!process.env['NAVARCH_NO_BUILD']) await step('build', buildWorkspace, { quietUnless: (did) => did });
  await step('images from Debian packages', (update) => buildImages(cache, update));
  await buildComposeImages();
  try {
    await must('ip', ['netns', 'add', namespace]);
    await must('ip', ['-n', namespace, 'link', 'set', 'lo', 'up']);
    const inside = fileURLToPath(new URL('inside.mjs', import.meta.url));
    const args = [`--net=/run/netns/${namespace}`, nodeProgram(), inside, place.home, place.run, cache];
    const { code } = await run('nsenter', args, { inherit: true });
    process.exitCode = code;
  } finally {
    await run('ip', ['netns', 'delete', namespace]);
    await rm(place.run, { recursive: true, force: true });
  }
});

async function buildComposeImages() {
  const engine = await step('a Docker engine to build with', () => startEngine({ ...place, networks: false }));
  try {
    const BASE_IMAGE = await step('base image', () => ensureBaseImage(engine.host));
    const APP = await step('image of the built services', () => makeAppImage(engine.host));
    const compose = await composeOn(engine.host, { BASE_IMAGE, APP, NAVARCH_BUILD_NETWORK: 'host' });
    await step('docker compose build', () => compose(['build', 'etcd', 'nats', 'api', 'node-agent']));
    await pruneImages(engine.host);
  } finally {
    await engine.stop();
  }
}
