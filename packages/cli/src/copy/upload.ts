import { createReadStream } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { basename, join, posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Pack, pack as newArchive } from 'tar-stream';
import { UserError } from '../session.ts';
import { checkTar, type Remote, runIn } from './remote.ts';

/** Copies a file or folder into a container: into `target` where that is a folder, and as `target` otherwise. */
export async function upload(source: string, remote: Remote, target: string): Promise<void> {
  await statOf(source);
  const { code } = await runIn(remote, ['test', '-d', target], {});
  const place = code === 0 ? posix.join(target, basename(source)) : posix.normalize(target);
  const archive = newArchive();
  const command = ['tar', '-xmf', '-', '-C', posix.dirname(place)];
  const [, ended] = await Promise.all([
    fill(archive, source, posix.basename(place), (text) => remote.session.warn(text)).then(
      () => archive.finalize(),
      (error: Error) => archive.destroy(error),
    ),
    runIn(remote, command, { input: archive }),
  ]);
  checkTar(ended, remote);
}

async function fill(archive: Pack, path: string, name: string, warn: (text: string) => void): Promise<void> {
  const stats = await statOf(path);
  const { mode, mtime, size } = stats;
  if (stats.isDirectory()) {
    archive.entry({ name: `${name}/`, type: 'directory', mode, mtime });
    for (const entry of (await readdir(path)).sort()) await fill(archive, join(path, entry), `${name}/${entry}`, warn);
  } else if (stats.isFile()) {
    await pipeline(createReadStream(path, { end: Math.max(0, size - 1) }), archive.entry({ name, size, mode, mtime }));
  } else {
    warn(`Warning: ${path} is neither a file nor a folder, and is left out\n`);
  }
}

async function statOf(path: string) {
  try {
    return await lstat(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException; // as node:fs throws
    throw new UserError(code === 'ENOENT' ? `the path "${path}" does not exist` : message);
  }
}
