import { readlink } from 'node:fs/promises';
import { run } from './exec.mjs';
import { listProcesses } from './process-table.mjs';

/**
 * Removes what the node-agent and CNI set up in this network namespace: the bridge and VXLAN devices with what hangs on
 * the bridge, and nftables tables; all bear names of ours.
 * @returns {Promise<string[]>} what could not be removed
 */
export async function removeNetwork() {
  if (await anotherAgentRuns()) return []; // then they are that cluster's
  const links = await jsonOf('ip', ['-j', 'link', 'show', 'master', 'nav0']);
  for (const { ifname } of links) await run('ip', ['link', 'delete', ifname]);
  for (const device of ['navx0', 'nav0']) await run('ip', ['link', 'delete', device]);
  for (const { family, name } of await ourTables()) await run('nft', ['delete', 'table', family, name]);

  const left = (await jsonOf('ip', ['-j', 'link', 'show'])).map(({ ifname }) => ifname);
  const devices = left.filter((name) => name === 'nav0' || name === 'navx0').map((name) => `network device ${name}`);
  const tables = (await ourTables()).map(({ family, name }) => `nftables table ${family} ${name}`);
  return [...devices, ...tables];
}

/** Whether a node-agent runs in this network namespace; called when ours has ended. */
async function anotherAgentRuns() {
  const here = await readlink('/proc/self/ns/net');
  for (const { pid, args } of await listProcesses()) {
    if (!args.some((arg) => arg.endsWith('services/node-agent/dist/main.js'))) continue;
    if ((await readlink(`/proc/${pid}/ns/net`).catch(() => '')) === here) return true;
  }
  return false;
}

/** @returns {Promise<{ family: string, name: string }[]>} */
async function ourTables() {
  const { code, stdout } = await run('nft', ['-j', 'list', 'tables']);
  if (code !== 0) return [];
  const { nftables } = JSON.parse(stdout);
  return nftables
    .map((/** @type {{ table?: { family: string, name: string } }} */ entry) => entry.table)
    .filter((/** @type {{ name: string } | undefined} */ table) => table?.name.startsWith('navarch'));
}

/** @param {string} command @param {string[]} args @returns {Promise<{ ifname: string }[]>} [] when it fails: no such device */
async function jsonOf(command, args) {
  const { code, stdout } = await run(command, args);
  return code === 0 && stdout.trim() ? JSON.parse(stdout) : [];
}
