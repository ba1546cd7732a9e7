import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must, run } from '../local/exec.mjs';
import { nodeProgram, repository } from '../local/workspace.mjs';
import { dockerProgram } from './engine.mjs';

const baseImage = 'navarch-test/base:12';
const appImage = 'navarch-test/app';

/**
 * A Debian base image made here, for where no registry on the internet has one.
 * @param {string} host
 */
export async function ensureBaseImage(host) {
  const docker = ['-H', host];
  if ((await run(dockerProgram(), [...docker, 'image', 'inspect', baseImage])).code === 0) return baseImage;
  await inScratch(async (folder) => {
    const root = join(folder, 'root');
    await must('debootstrap', ['--variant=minbase', 'bookworm', root]);
    await rm(join(root, 'var/cache/apt'), { recursive: true, force: true });
    await importTree(host, root, baseImage);
  });
  return baseImage;
}

/**
 * The services as they are built here, as an image that the Dockerfile takes instead of building them again: there, npm
 * would need the internet.
 * @param {string} host
 */
export async function makeAppImage(host) {
  await inScratch(async (folder) => {
    await must(nodeProgram(), [join(repository, 'deploy/docker/collect.mjs'), join(folder, 'app')]);
    await importTree(host, join(folder, 'app'), appImage);
  });
  return appImage;
}

/** What earlier builds left must not fill the disk. @param {string} host */
export async function pruneImages(host) {
  await must(dockerProgram(), ['-H', host, 'image', 'prune', '--force']);
  await must(dockerProgram(), ['-H', host, 'builder', 'prune', '--force', '--keep-storage', '2GB']);
}

/** @param {string} host @param {string} root @param {string} image */
async function importTree(host, root, image) {
  // Sorted and without times, so that the engine's build cache knows an unchanged tree.
  const tar = `tar --sort=name --mtime=@0 --numeric-owner -C '${root}' -c . | '${dockerProgram()}' -H '${host}' import - ${image}`;
  await must('bash', ['-o', 'pipefail', '-c', tar]);
}

/** @param {(folder: string) => Promise<void>} work */
async function inScratch(work) {
  const folder = await mkdtemp(join(tmpdir(), 'navarch-image-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
