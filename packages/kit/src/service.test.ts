import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';

const fixture = fileURLToPath(new URL('./service.fixture.ts', import.meta.url));
const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
});

/** Starts the fixture; `until` resolves once its output holds a text. */
function start(...flags: string[]) {
  const child = spawn(process.execPath, ['--conditions=source', fixture, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  let look = () => {};
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      look();
    });
  }
  const until = (text: string) =>
    new Promise<void>((resolve) => {
      look = () => output.includes(text) && resolve();
      look();
    });
  const messages = () =>
    output
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { msg: string }).msg);
  const code = once(child, 'close').then(([exitCode]) => exitCode as number);
  return { child, until, messages, code, output: () => output };
}

describe('runService', { timeout: 30_000 }, () => {
  test('starts in order, stops in reverse on SIGTERM, and exits 0', async () => {
    const service = start();
    await service.until('fixture is running');
    service.child.kill('SIGTERM');
    expect(await service.code).toBe(0);
    expect(service.messages()).toEqual([
      'first started',
      'fixture is running',
      'stopping',
      'second stopped',
      'first stopped',
      'fixture has stopped',
    ]);
  });

  test('stops what has started when a component does not, says why in a sentence, and exits 1', async () => {
    const service = start('--fail', 'start');
    expect(await service.code).toBe(1);
    expect(service.messages()).toEqual([
      'first started',
      'second stopped',
      'first stopped',
      'second did not start: the disk is full',
    ]);
  });

  test('can be stopped while it is starting', async () => {
    const service = start('--fail', 'never-starts');
    await service.until('second waits');
    service.child.kill('SIGINT');
    expect(await service.code).toBe(0);
    expect(service.messages()).toContain('first stopped');
  });

  test('exits at once on a second signal', async () => {
    const service = start('--stuck');
    await service.until('fixture is running');
    service.child.kill('SIGTERM');
    await service.until('second stopped');
    service.child.kill('SIGTERM');
    expect(await service.code).toBe(1);
    expect(service.messages().at(-1)).toBe('second signal: exiting at once');
  });

  test('exits 1 after an error that nobody handled', async () => {
    const service = start('--fail', 'later');
    expect(await service.code).toBe(1);
    expect(service.output()).toContain('"level":"fatal"');
    expect(service.output()).toContain('forgotten');
  });

  test('refuses bad flags with one line and exits 2', async () => {
    const service = start('--fail', 'x');
    expect(await service.code).toBe(2);
    expect(service.output()).toBe('fixture: --fail is "x", but expected one of start, later, never-starts\n');
  });

  test('says which port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const service = start('--metrics', `127.0.0.1:${port}`);
    expect(await service.code).toBe(1);
    expect(service.messages()).toEqual([
      `metrics did not start: cannot serve metrics on 127.0.0.1:${port}: the port is taken; choose another with --metrics`,
    ]);
    taken.close();
  });
});
