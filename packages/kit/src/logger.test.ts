import { describe, expect, test } from 'vitest';
import { warnIfPublic } from './listen-warning.ts';
import { createLogger, withoutCredentials } from './logger.ts';

function capture() {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  return { lines, logger: createLogger({ name: 'test', destination }) };
}

describe('createLogger', () => {
  test('keeps secrets to itself', () => {
    const { lines, logger } = capture();
    const secrets = { token: 's3cret', nested: { password: 's3cret', deep: { authorization: 's3cret' } } };
    logger.info({ ...secrets, pod: 'web' }, 'done');
    expect(JSON.stringify(lines)).not.toContain('s3cret');
    expect(lines[0]).toMatchObject({ level: 'info', name: 'test', msg: 'done', pod: 'web', token: '[redacted]' });
  });

  test.each([
    ['nats://user:pass@host:1', 'nats://host:1'],
    ['nats://token@host:1', 'nats://host:1'],
    ['nats://host:1', 'nats://host:1'],
    ['host:1', 'host:1'],
  ])('%s is logged as %s', (url, logged) => expect(withoutCredentials(url)).toBe(logged));
});

describe('warnIfPublic', () => {
  test.each([
    ['127.0.0.1', 0],
    ['127.1.2.3', 0],
    ['::1', 0],
    ['localhost', 0],
    ['0.0.0.0', 1],
    ['::', 1],
    ['10.0.0.1', 1],
    ['127.example.org', 1],
  ])('%s', (host, warnings) => {
    const { lines, logger } = capture();
    warnIfPublic({ host, port: 7400 }, logger);
    const expected = { level: 'warn', msg: expect.stringContaining('controls the cluster') as string };
    expect(lines).toMatchObject(Array.from({ length: warnings }, () => expected));
  });
});
