// The second half of test.mjs, in a network namespace of its own, which is "the machine" here.
//   node inside.mjs ENGINE_HOME ENGINE_RUN CACHE
import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { serveImages } from '../images/serve.mjs';
import { must } from '../local/exec.mjs';
import { step } from '../local/steps.mjs';
import { waitFor } from '../local/wait.mjs';
import { repository } from '../local/workspace.mjs';
import { composeOn, navctlOn } from './compose.mjs';
import { dockerProgram, startEngine } from './engine.mjs';

const [home = '', run = '', cache = ''] = process.argv.slice(2);
const api = '127.0.0.1:7400';
const navctl = navctlOn(api);
const patience = { timeoutMs: 120_000, everyMs: 500 };
let [passed, failed] = [0, 0];

const engine = await step('a Docker engine to run on', () => startEngine({ home, run, networks: true }));
const registry = await serveImages({ cache, host: '0.0.0.0' });
const compose = await composeOn(engine.host, {
  NAVARCH_MIRROR: `10.201.0.1:${registry.address.split(':')[1]}`,
  NAVARCH_NODE_GRACE_MS: '6000',
  NAVARCH_DEFAULT_UNREACHABLE_TOLERATION_SECONDS: '2',
  NAVARCH_HEARTBEAT_MS: '2000',
});
process.on('SIGINT', () => {}); // what was begun is ended by the failing step, and then cleaned up
try {
  await proveAll();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  if (failed === 0) failed = 1;
  await showState();
} finally {
  await step('clean up', async () => {
    const files = ['--profile', 'cluster', '--profile', 'node'];
    await compose([...files, 'down', '--volumes', '--timeout', '20']).catch((error) => console.error(error.message));
    await engine.stop();
    await registry.stop();
  });
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

/** @param {string} title @param {() => Promise<unknown>} proof */
async function prove(title, proof) {
  try {
    await step(title, proof);
    passed++;
  } catch (error) {
    failed++;
    throw error; // what follows stands on it
  }
}

async function proveAll() {
  await prove('docker compose up --scale node-agent=3 makes a cluster of three Ready nodes', async () => {
    await compose(['up', '--detach', '--no-build', '--scale', 'node-agent=3']);
    await waitFor('three Ready nodes', async () => (await readyNodes()).length === 3, patience);
  });
  await prove('the example is spread over all three', async () => {
    await navctl('apply', '-f', join(repository, 'examples/nginx'));
    const fourReady = async () => {
      const pods = await readyPods();
      return pods.length === 4 && pods;
    };
    const pods = await waitFor('four Ready Pods', fourReady, patience);
    assert.equal(new Set(pods.map(nodeOf)).size, 3);
  });
  await prove("it answers at every node's address, from every Pod's node", async () => {
    const addresses = (await readyNodes()).map(addressOf);
    assert.equal(addresses.length, 3);
    for (const address of addresses) await waitFor(`http://${address}/`, () => answersOften(address), patience);
  });
  await prove("a node's container is killed, and its Pods move to the others", async () => {
    const victim = nodeOf((await replicas())[0]);
    await must(dockerProgram(), ['-H', engine.host, 'kill', '--signal', 'KILL', victim]);
    await waitFor('two Ready nodes', async () => (await readyNodes()).length === 2, patience);
    const moved = async () => {
      const nodes = (await replicas()).map(nodeOf);
      return nodes.length === 3 && !nodes.includes(victim);
    };
    await waitFor('three replicas on the other nodes', moved, patience);
    for (const address of (await readyNodes()).map(addressOf)) {
      await waitFor(`http://${address}/`, () => answersOften(address), patience);
    }
  });
  await prove('the same file adds another host with the node profile alone', async () => {
    const env = { COMPOSE_PROJECT_NAME: 'navarch-test-host', NAVARCH_API: api, NAVARCH_NATS: 'nats://127.0.0.1:7430' };
    try {
      await compose(['--profile', 'node', 'up', '--detach', '--no-build'], env);
      const services = await compose(['--profile', 'node', 'ps', '--services', '--filter', 'status=running'], env);
      assert.equal(services.trim(), 'node');
      const joined = async () => (await readyNodes()).some((node) => node.metadata.name === hostname());
      await waitFor('this host as a Ready node', joined, patience);
    } finally {
      await compose(['--profile', 'node', 'down', '--volumes', '--timeout', '20'], env);
    }
  });
}

/**
 * @param {string} type
 * @param {{ status?: { conditions?: { type: string, status: string }[] } }} object
 */
function isTrue(type, { status }) {
  return status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') === true;
}

/** @returns {Promise<any[]>} */
async function readyNodes() {
  const { items } = await navctl('get', 'nodes', '-o', 'json');
  return items.filter((/** @type {any} */ node) => isTrue('Ready', node));
}

/** @returns {Promise<any[]>} */
async function readyPods() {
  const { items } = await navctl('get', 'pods', '-o', 'json');
  return items.filter((/** @type {any} */ pod) => isTrue('Ready', pod) && !pod.metadata.deletionTimestamp);
}

async function replicas() {
  return (await readyPods()).filter(({ metadata }) => metadata.labels?.app === 'nginx');
}

/** @param {any} pod @returns {string} */
function nodeOf(pod) {
  return pod.spec.nodeName;
}

/** @param {any} node @returns {string} */
function addressOf(node) {
  return node.status.addresses.find((/** @type {{ type: string }} */ { type }) => type === 'InternalIP').address;
}

/** Ten connections: each goes to one of the three Pods by chance, most of them on another node. @param {string} address */
async function answersOften(address) {
  for (let count = 0; count < 10; count++) {
    const request = { signal: AbortSignal.timeout(2000), headers: { connection: 'close' } };
    const response = await fetch(`http://${address}/`, request);
    if (!response.ok || !(await response.text()).includes('Welcome to nginx')) return false;
  }
  return true;
}

async function showState() {
  for (const args of [
    ['get', 'nodes', '-o', 'wide'],
    ['get', 'pods', '-o', 'wide'],
    ['get', 'services'],
  ]) {
    console.error(await navctl(...args).catch((error) => error.message));
  }
  console.error(await compose(['ps']).catch((error) => error.message));
  console.error(await compose(['logs', '--no-color', '--tail', '40']).catch((error) => error.message));
}
