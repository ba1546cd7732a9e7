import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@navarch/kit';
import { waitFor } from '@navarch/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseLogLine } from './log-format.ts';
import { type LogOptions, readLog } from './log-reader.ts';

const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, '0')}.000000001Z`;
const line = (second: number, text: string, stream = 'stdout', tag = 'F') => `${at(second)} ${stream} ${tag} ${text}\n`;

describe('a log line', () => {
  test.each([
    { text: `${at(1)} stdout F hello world`, record: { stream: 'stdout', partial: false, content: 'hello world' } },
    { text: `${at(1)} stderr P half a`, record: { stream: 'stderr', partial: true, content: 'half a' } },
    { text: `${at(1)} stdout F `, record: { stream: 'stdout', partial: false, content: '' } },
    { text: `${at(1)} stdout F`, record: { stream: 'stdout', partial: false, content: '' } },
    { text: `${at(1)} stdout P:x more tags`, record: { stream: 'stdout', partial: true, content: 'more tags' } },
    { text: `${at(1)} elsewhere F x`, record: undefined },
    { text: 'nonsense', record: undefined },
    { text: '', record: undefined },
  ])('$text', ({ text, record }) => {
    const parsed = parseLogLine(Buffer.from(text));
    expect(parsed && { stream: parsed.stream, partial: parsed.partial, content: parsed.content.toString() }).toEqual(
      record,
    );
  });
});

describe('reading a log', () => {
  let dir: string;
  let path: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'nv-log-'));
    path = join(dir, '0.log');
  });
  afterEach(() => rm(dir, { recursive: true }));

  const options = (change: Partial<LogOptions> = {}): LogOptions => ({
    follow: false,
    timestamps: false,
    mayGrow: async () => false,
    clock: systemClock,
    signal: new AbortController().signal,
    ...change,
  });
  async function read(change: Partial<LogOptions> = {}): Promise<string> {
    let text = '';
    for await (const { data } of readLog(path, options(change))) text += data.toString();
    return text;
  }

  test('gives all of it, partial lines put together', async () => {
    await writeFile(path, line(1, 'a') + line(2, 'b', 'stdout', 'P') + line(2, 'c') + line(3, 'd', 'stderr'));
    expect(await read()).toBe('a\nbc\nd\n');
    expect(await read({ timestamps: true })).toBe(`${at(1)} a\n${at(2)} bc\n${at(3)} d\n`);
  });

  test('a file that is not there is an empty log', async () => {
    expect(await read()).toBe('');
  });

  test('begins where it is asked to', async () => {
    await writeFile(path, Array.from({ length: 50 }, (_, index) => line(index, `line ${index}`)).join(''));
    expect(await read({ sinceMs: Date.parse(at(48)) })).toBe('line 48\nline 49\n');
    expect(await read({ tailLines: 2 })).toBe('line 48\nline 49\n');
    expect(await read({ tailLines: 0 })).toBe('');
    expect((await read({ tailLines: 1000 })).split('\n').length).toBe(51);
  });

  test('a tail reaches over blocks and keeps partial lines whole', async () => {
    const long = 'x'.repeat(16_000);
    const lines = Array.from({ length: 20 }, (_, index) => line(1, long, 'stdout', 'P') + line(1, `end ${index}`));
    await writeFile(path, lines.join(''));
    for (const tailLines of [1, 3, 7, 20]) {
      const text = await read({ tailLines });
      expect(text.split('\n').slice(0, -1)).toEqual(
        Array.from({ length: tailLines }, (_, index) => `${long}end ${20 - tailLines + index}`),
      );
    }
  });

  test('follows what is written, over a rotation, to the end of the container', async () => {
    await writeFile(path, line(1, 'one'));
    let alive = true;
    let text = '';
    const reading = (async () => {
      for await (const { data } of readLog(path, options({ follow: true, mayGrow: async () => alive })))
        text += data.toString();
    })();
    await waitFor(() => text === 'one\n');
    await appendFile(path, line(2, 'two'));
    await waitFor(() => text === 'one\ntwo\n');
    await rename(path, `${path}.1`);
    await writeFile(path, line(3, 'three'));
    await waitFor(() => text === 'one\ntwo\nthree\n');
    await appendFile(path, line(4, 'four'));
    alive = false;
    await reading;
    expect(text).toBe('one\ntwo\nthree\nfour\n');
  });

  test('ends when the reader hangs up', async () => {
    await writeFile(path, '');
    const abort = new AbortController();
    const reading = read({ follow: true, mayGrow: async () => true, signal: abort.signal });
    abort.abort();
    expect(await reading).toBe('');
  });
});
