import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, VirtualClock } from '@navarch/kit';
import { ApiError } from '@navarch/machinery';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { containerConfig, sandboxConfig } from './runtime.fixture.ts';
import { FakeRuntime } from './fake-runtime.ts';
import { LogRotation } from './log-rotation.ts';

let dir: string;
let path: string;
let runtime: FakeRuntime;
const clock = new VirtualClock();
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'nv-rotate-'));
  path = join(dir, '0.log');
  runtime = new FakeRuntime();
  const sandbox = await runtime.runSandbox(sandboxConfig('u'));
  const id = await runtime.createContainer(sandbox, { ...containerConfig('u'), logPath: path });
  await runtime.startContainer(id);
});
afterEach(() => rm(dir, { recursive: true }));

const rotation = () =>
  new LogRotation({
    runtime,
    clock,
    logger: createLogger({ name: 'test', level: 'silent' }),
    mostBytes: 10,
    keep: 2,
    intervalMs: 1000,
  });

test('a small log is left alone', async () => {
  await writeFile(path, 'short');
  await rotation().rotate();
  expect(await readdir(dir)).toEqual(['0.log']);
});

test('a large one is moved away, and only the newest few stay', async () => {
  for (let turn = 0; turn < 4; turn++) {
    await writeFile(path, `long enough ${turn}`);
    await rotation().rotate();
    await clock.advance(1000);
  }
  const names = await readdir(dir);
  expect(await Promise.all(names.sort().map((name) => readFile(join(dir, name), 'utf8')))).toEqual([
    'long enough 2',
    'long enough 3',
  ]);
});

test('a runtime that does not begin a new file goes on with the old one', async () => {
  await writeFile(path, 'long enough again');
  runtime.fail('reopenLog', new ApiError('InternalError', 'no'));
  await expect(rotation().rotate()).rejects.toThrow('no');
  expect(await readdir(dir)).toEqual(['0.log']);
});
