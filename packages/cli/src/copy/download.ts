import { createWriteStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract as newExtract, type Headers } from 'tar-stream';
import { UserError } from '../session.ts';
import { placeWithin } from './place.ts';
import { checkTar, type Remote, runIn } from './remote.ts';

/**
 * Copies a file or folder out of a container: into `target` where that is a folder, and as `target` otherwise. What is in the
 * archive is not trusted: nothing is written outside of that place, and links are left out.
 */
export async function download(remote: Remote, source: string, target: string): Promise<void> {
  const root = posix.normalize(source).replace(/(?<=.)\/$/, '');
  const place = (await isFolder(target)) ? join(target, posix.basename(root)) : target;
  const archive = newExtract();
  archive.on('entry', (headers, stream, next) => {
    const skip = (why: string) => {
      remote.session.warn(`Warning: ${headers.name} ${why}, and is left out\n`);
      stream.on('end', next).resume();
    };
    writeEntry(headers, stream, { root, place, skip, next }).catch(
      (error: unknown) => archive.destroy(error as Error), // of node:fs
    );
  });
  const command = ['tar', 'cf', '-', '-C', posix.dirname(root), '--', posix.basename(root)];
  const ended = await runIn(remote, command, { output: archive });
  checkTar(ended, remote);
}

interface Target {
  readonly root: string;
  readonly place: string;
  readonly skip: (why: string) => void;
  readonly next: () => void;
}

async function writeEntry(
  { name, type, mode = 0o644 }: Headers,
  stream: Readable,
  { root, place, skip, next }: Target,
): Promise<void> {
  const steps = placeWithin(name, posix.basename(root));
  if (steps === undefined) return skip('would be outside of the target');
  const path = join(place, ...steps);
  if (type === 'directory') {
    await mkdir(path, { recursive: true });
    stream.on('end', next).resume();
    return;
  }
  if (type !== 'file' && type !== 'contiguous-file') return skip(`is a ${type ?? 'thing of no type'}`);
  await mkdir(dirname(path), { recursive: true });
  await pipeline(stream, createWriteStream(path, { mode: mode & 0o777 }));
  next();
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException; // as node:fs throws
    if (code === 'ENOENT') return false;
    throw new UserError(message);
  }
}
