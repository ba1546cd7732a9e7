import { run } from './exec.mjs';

/**
 * Removes what the node-agent and CNI set up in this network namespace: the bridge and VXLAN devices with what hangs on
 * the bridge, and nftables tables; all bear names of ours.
 * @returns {Promise<string[]>} what could not be removed
 */
export async function removeNetwork() {
  const links = await jsonOf('ip', ['-j', 'link', 'show', 'master', 'nav0']);
  for (const { ifname } of links) await run('ip', ['link', 'delete', ifname]);
  for (const device of ['navx0', 'nav0']) await run('ip', ['link', 'delete', device]);
  for (const { family, name } of await ourTables()) await run('nft', ['delete', 'table', family, name]);

  const left = (await jsonOf('ip', ['-j', 'link', 'show'])).map(({ ifname }) => ifname);
  const devices = left.filter((name) => name === 'nav0' || name === 'navx0').map((name) => `network device ${name}`);
  const tables = (await ourTables()).map(({ family, name }) => `nftables table ${family} ${name}`);
  return [...devices, ...tables];
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
