import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

/** Programs in these containers run on this machine, so the container's files are a folder of it. */
let cluster: ClusterInProcess;
let here = '';
let there = '';
beforeAll(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'navctl-cp-'));
  [here, there] = [join(dir, 'here'), join(dir, 'there')];
  await mkdir(here);
  await mkdir(there);
  cluster = await ClusterInProcess.start({ nodes: 1 });
  await cluster.navctl('run', 'box', '--image=box:1');
  await cluster.navctl('wait', 'pod/box', '--for=condition=Ready');
});
afterAll(async () => {
  await cluster.stop();
  await rm(join(here, '..'), { recursive: true });
});

async function copy(from: string, to: string): Promise<string> {
  const { code, out, err } = await cluster.navctl('cp', from, to);
  expect({ code, out }).toEqual({ code: 0, out: '' });
  return err;
}

test('a folder goes there and comes back as it was', async () => {
  const big = Buffer.alloc(3_000_000, 'navarch');
  await mkdir(join(here, 'site/sub'), { recursive: true });
  await writeFile(join(here, 'site/index.html'), 'hello');
  await writeFile(join(here, 'site/empty'), '');
  await writeFile(join(here, 'site/sub/big'), big);
  await writeFile(join(here, 'site/run.sh'), '#!/bin/sh\n');
  await chmod(join(here, 'site/run.sh'), 0o755);
  await copy(join(here, 'site'), `box:${there}`);
  expect((await readdir(join(there, 'site'))).sort()).toEqual(['empty', 'index.html', 'run.sh', 'sub']);
  await copy(`default/box:${there}/site`, join(here, 'back'));
  expect(await readFile(join(here, 'back/index.html'), 'utf8')).toBe('hello');
  expect((await readFile(join(here, 'back/sub/big'))).equals(big)).toBe(true);
  expect((await stat(join(here, 'back/empty'))).size).toBe(0);
  expect((await stat(join(here, 'back/run.sh'))).mode & 0o777).toBe(0o755);
});

test('a file gets the name that was given, or goes into the folder', async () => {
  await writeFile(join(here, 'one'), '1');
  await copy(join(here, 'one'), `box:${there}/two`);
  expect(await readFile(join(there, 'two'), 'utf8')).toBe('1');
  await copy(`box:${there}/two`, join(here, 'three'));
  expect(await readFile(join(here, 'three'), 'utf8')).toBe('1');
  await mkdir(join(here, 'into'));
  await copy(`box:${there}/two`, join(here, 'into'));
  expect(await readdir(join(here, 'into'))).toEqual(['two']);
});

test('links that a container has are not followed, and not made here', async () => {
  await mkdir(join(there, 'evil'));
  await symlink('/etc', join(there, 'evil/link'));
  await writeFile(join(there, 'evil/good'), 'good');
  expect(await copy(`box:${there}/evil`, join(here, 'evil'))).toBe(
    'Warning: evil/link is a symlink, and is left out\n',
  );
  expect(await readdir(join(here, 'evil'))).toEqual(['good']);
});

test.each([
  ['one', 'two', 'one of the two must be in a container'],
  ['box:/a', 'box:/b', 'one of the two must be a path of this machine'],
  ['/nowhere', 'box:/tmp', 'the path "/nowhere" does not exist'],
  ['nobody:/a', 'x', 'NotFound'],
  ['box:/nowhere/at/all', 'x', 'tar in container "box" of pod "box" ended with exit code'],
  ['box:', 'x', 'must be POD:PATH'],
])('cp %s %s is refused', async (from, to, message) => {
  const { code, out, err } = await cluster.navctl('cp', from, to);
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toContain(message);
});
