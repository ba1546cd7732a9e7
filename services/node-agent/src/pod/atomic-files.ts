import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface FileContent {
  /** Relative to the volume, without `..`. */
  readonly path: string;
  readonly data: Uint8Array;
  readonly mode: number;
}

const dataLink = '..data';

/**
 * Puts files into a volume so that a reader sees either all of the old ones or all of the new ones, never a mixture: they
 * are written to a folder of their own, `..data` is turned to it in one rename, and each name in the volume is a link
 * through `..data`. (The layout that users of ConfigMap volumes know.) Does nothing when nothing changed; returns whether
 * something did.
 */
export async function writeAtomically(dir: string, files: readonly FileContent[], group?: number): Promise<boolean> {
  await mkdir(dir, { recursive: true });
  const current = await readlink(join(dir, dataLink)).catch(() => undefined);
  if (current !== undefined && (await same(join(dir, current), files))) return false;

  const next = `..${new Date().toISOString().replace(/[-:TZ.]/g, '_')}${randomBytes(4).toString('hex')}`;
  for (const file of files) {
    const path = join(dir, next, file.path);
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await writeFile(path, file.data, { mode: file.mode });
    await chmod(path, file.mode); // writeFile's mode passes through the umask
    if (group !== undefined) await chown(path, 0, group);
  }
  await mkdir(join(dir, next), { recursive: true, mode: 0o755 });
  await symlink(next, join(dir, '..data_tmp')).catch(async () => {
    await rm(join(dir, '..data_tmp'), { force: true });
    await symlink(next, join(dir, '..data_tmp'));
  });
  await rename(join(dir, '..data_tmp'), join(dir, dataLink));
  await link(dir, new Set(files.map(({ path }) => path.split('/')[0] ?? path)));
  if (current !== undefined) await rm(join(dir, current), { recursive: true, force: true });
  return true;
}

/** Names in the volume: one link for each file or folder at its top. */
async function link(dir: string, names: ReadonlySet<string>): Promise<void> {
  const present = new Set((await readdir(dir)).filter((name) => !name.startsWith('..')));
  for (const name of names) {
    if (!present.has(name)) await symlink(join(dataLink, name), join(dir, name));
  }
  for (const name of present) {
    if (!names.has(name)) await rm(join(dir, name), { force: true, recursive: true });
  }
}

async function same(dir: string, files: readonly FileContent[]): Promise<boolean> {
  const names = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
  if (names.filter((entry) => entry.isFile()).length !== files.length) return false;
  for (const { path, data } of files) {
    const present = await readFile(join(dir, path)).catch(() => undefined);
    if (!present?.equals(data)) return false;
  }
  return true;
}
