import { describe, expect, test } from 'vitest';
import { options, readConfig } from './config.mjs';
import { Failure } from './failure.mjs';

describe('readConfig', () => {
  test('gives the documented defaults', () => {
    expect(readConfig([], {})).toMatchObject({
      home: '/var/lib/navarch',
      run: '/run/navarch',
      host: '127.0.0.1',
      ports: { api: 7400, etcd: 7420, 'etcd-peer': 7421, nats: 7430, registry: 7440 },
      registry: 'auto',
      without: [],
      example: true,
      detach: false,
    });
  });

  test.each([
    { name: 'a flag', argv: ['--api-port', '1'], env: {}, port: 1 },
    { name: 'a flag with =', argv: ['--api-port=2'], env: {}, port: 2 },
    { name: 'the environment', argv: [], env: { NAVARCH_API_PORT: '3' }, port: 3 },
    { name: 'a flag before the environment', argv: ['--api-port', '4'], env: { NAVARCH_API_PORT: '3' }, port: 4 },
    { name: 'the default for an empty variable', argv: [], env: { NAVARCH_API_PORT: '' }, port: 7400 },
  ])('takes a port from $name', ({ argv, env, port }) => {
    expect(readConfig(argv, env).ports.api).toBe(port);
  });

  test('gathers parts to leave out, however they are said', () => {
    expect(readConfig(['--without', 'nats,api', '--without', 'etcd'], {}).without).toEqual(['nats', 'api', 'etcd']);
  });

  test('joining leaves out the control plane and the example', () => {
    const config = readConfig(['--join', '10.0.0.1:7400'], {});
    expect(config.without).toEqual(['etcd', 'nats', 'api', 'scheduler', 'controller-manager', 'gateway']);
    expect(config).toMatchObject({ example: false, joinNats: 'nats://10.0.0.1:7430' });
  });

  test.each([
    { argv: ['--bogus'], says: /no flag --bogus/ },
    { argv: ['detach'], says: /no flag detach/ },
    { argv: ['--api-port'], says: /--api-port needs a value/ },
    { argv: ['--api-port', '0'], says: /--api-port 0 is no number from 1 to 65535/ },
    { argv: ['--api-port', '7e3'], says: /--api-port 7e3 is no number/ },
    { argv: ['--registry', 'none'], says: /--registry none/ },
    { argv: ['--without', 'dns'], says: /--without dns names no part/ },
    { argv: ['--host', 'localhost'], says: /--host localhost is no IP address/ },
  ])('refuses $argv with a sentence about it', ({ argv, says }) => {
    expect(() => readConfig(argv, {})).toThrow(Failure);
    expect(() => readConfig(argv, {})).toThrow(says);
  });

  test('no two options share a flag or a variable', () => {
    const names = options.flatMap(({ flag, env }) => [flag, ...(env ? [env] : [])]);
    expect(new Set(names).size).toBe(names.length);
  });
});
