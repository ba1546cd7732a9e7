import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';

const root = '/sys/fs/cgroup';

/**
 * Removes the control groups of containers that were ended by force (runc removes those of the others), and their parent
 * when no other cluster uses it. One that still holds a process can't be removed, and stays.
 * @param {readonly string[]} ids
 */
export async function removeControlGroups(ids) {
  // Version 2 has one hierarchy at the root, version 1 one for each controller.
  for (const hierarchy of [root, ...(await foldersIn(root))]) {
    const parent = join(hierarchy, 'k8s.io');
    for (const path of [...ids.map((id) => join(parent, id)), parent]) await rmdir(path).catch(() => {});
  }
}

/** @param {string} folder */
export async function foldersIn(folder) {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
}
