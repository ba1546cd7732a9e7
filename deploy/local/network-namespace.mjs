import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { places } from './config.mjs';
import { run } from './exec.mjs';
import { recall } from './pid-files.mjs';

/**
 * Runs this very command again inside the network namespace of a cluster that was started in another one, where its
 * devices and rules are.
 * @param {import('./cluster.mjs').RunningCluster} cluster
 * @returns {Promise<boolean>} true when that was done, and this process has nothing left to do
 */
export async function inNetworkOf(cluster) {
  if (cluster.networkNamespace === (await readlink('/proc/self/ns/net'))) return false;
  const place = places(cluster.config);
  const files = [place.supervisor, ...cluster.processes.map(({ name }) => join(place.pids, `${name}.json`))];
  for (const file of files) {
    const seen = await recall(file);
    const namespace = seen && (await readlink(`/proc/${seen.pid}/ns/net`).catch(() => ''));
    if (namespace !== cluster.networkNamespace) continue;
    const args = [`--net=/proc/${seen?.pid}/ns/net`, process.execPath, ...process.argv.slice(1)];
    process.exitCode = (await run('nsenter', args, { inherit: true })).code;
    return true;
  }
  return false; // nothing of it runs; its network went with its namespace
}
