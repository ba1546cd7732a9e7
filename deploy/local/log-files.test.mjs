import { appendFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bound, openLog, tail } from './log-files.mjs';

test('a log over its bound keeps its older part beside it, and its writer goes on', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'navarch-log-'));
  try {
    const file = join(folder, 'a.log');
    const writer = await openLog(file);
    await writer.write('x'.repeat(1000));
    await bound(file);
    expect((await stat(file)).size).toBe(1000);
    await writer.write('x'.repeat(16 << 20));
    await bound(file);
    await writer.write('first\nsecond\n');
    await writer.close();
    expect((await stat(`${file}.1`)).size).toBe(1000 + (16 << 20));
    expect((await stat(file)).size).toBe(13);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await tail(file, 1)).toBe('second');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('a log that is not there yet is empty', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'navarch-log-'));
  try {
    await bound(join(folder, 'none.log'));
    expect(await tail(join(folder, 'none.log'), 3)).toBe('');
    await writeFile(join(folder, 'one.log'), 'a');
    await appendFile(join(folder, 'one.log'), 'b');
    expect(await tail(join(folder, 'one.log'), 3)).toBe('ab');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
