import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { blobPath, imageOf, layerOf, writeLayout } from './oci.mjs';

/** @type {string} */
let folder;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'navarch-oci-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** @param {string} name @param {Date} time */
async function tree(name, time) {
  const root = join(folder, name);
  await mkdir(join(root, 'etc'), { recursive: true });
  for (const file of ['etc/b', 'etc/a']) {
    await writeFile(join(root, file), `${file}\n`, { mode: 0o644 });
    await utimes(join(root, file), time, time);
  }
  return root;
}

test('the same files at other times make the same image', async () => {
  const first = await layerOf(await tree('one', new Date(1000)), join(folder, 'one.tar'));
  const second = await layerOf(await tree('two', new Date(2_000_000)), join(folder, 'two.tar'));
  expect(second.diffId).toBe(first.diffId);
  const digest = imageOf(first, { Cmd: ['sh'] }).manifest.digest;
  expect(imageOf(second, { Cmd: ['sh'] }).manifest.digest).toBe(digest);
  expect(imageOf(second, { Cmd: ['sh'], Labels: { tag: '2' } }).manifest.digest).not.toBe(digest);
});

test('a layout holds every blob under its digest', async () => {
  const image = imageOf(await layerOf(await tree('root', new Date()), join(folder, 'root.tar')), {});
  await writeLayout(join(folder, 'layout'), new Map([['library/thing:1', image]]));
  const index = JSON.parse(await readFile(join(folder, 'layout/index.json'), 'utf8'));
  expect(index.manifests).toHaveLength(1);
  expect(index.manifests[0].annotations).toEqual({
    'org.opencontainers.image.ref.name': 'library/thing:1',
    'io.containerd.image.name': 'docker.io/library/thing:1',
  });
  const manifest = JSON.parse(await readFile(blobPath(join(folder, 'layout'), index.manifests[0].digest), 'utf8'));
  for (const { digest, size } of [manifest.config, ...manifest.layers]) {
    expect((await readFile(blobPath(join(folder, 'layout'), digest))).length).toBe(size);
  }
});
