import { describe, expect, test } from 'vitest';
import { ConfigHelp, defineConfig } from './config.ts';
import {
  address,
  boolean,
  cidr,
  durationMs,
  Expected,
  integer,
  list,
  oneOf,
  type Parser,
  text,
  url,
} from './parsers.ts';

const config = defineConfig(
  { name: 'navarch-test', description: 'Tests.', version: '1.2.3' },
  {
    listen: {
      flag: '--listen <address>',
      env: 'T_LISTEN',
      default: '127.0.0.1:7400',
      description: 'Serve here.',
      parse: address,
    },
    graceMs: {
      flag: '--node-grace-ms <ms>',
      env: 'T_GRACE',
      default: '40000',
      description: 'Wait.',
      parse: durationMs,
    },
    node: { flag: '--node <name>', env: 'T_NODE', description: 'Who.', parse: text },
    etcd: {
      flag: '--etcd <addresses>',
      env: 'T_ETCD',
      required: true,
      description: 'The store.',
      parse: list(address),
    },
    detach: { flag: '--detach', default: 'false', description: 'Go on alone.', parse: boolean },
  },
);

describe('defineConfig', () => {
  test('takes flags before the environment before defaults', () => {
    const values = config.read(['--listen', '0.0.0.0:1', '--detach'], {
      T_LISTEN: '1.2.3.4:5',
      T_GRACE: '1m30s',
      T_NODE: '',
      T_ETCD: '127.0.0.1:1, [::1]:2',
    });
    expect(values).toEqual({
      listen: { host: '0.0.0.0', port: 1 },
      graceMs: 90_000,
      node: undefined,
      detach: true,
      etcd: [
        { host: '127.0.0.1', port: 1 },
        { host: '::1', port: 2 },
      ],
    });
  });

  test.each([
    [['--listen', '7400'], {}, '--listen is "7400", but expected host:port, for example 127.0.0.1:7400 or [::1]:7400'],
    [
      [],
      { T_GRACE: 'soon' },
      'T_GRACE is "soon", but expected a duration in milliseconds or with units, for example 40000, 40s or 1m30s',
    ],
    [['--bogus'], {}, "unknown option '--bogus'; see --help"],
    [['--lisen', 'x'], {}, "unknown option '--lisen' (Did you mean --listen?); see --help"],
    [['extra'], {}, 'too many arguments. Expected 0 arguments but got 1; see --help'],
    [['--listen'], {}, "option '--listen <address>' argument missing; see --help"],
    [[], {}, '--etcd (or T_ETCD) must be set: The store.'],
  ])('%j %j is refused in one sentence', (argv, env, message) => {
    expect(() => config.read(argv, { ...(argv.length > 0 ? { T_ETCD: 'e:1' } : {}), ...env })).toThrow(message);
  });

  test('answers --help and --version', () => {
    const help = config.read(['--help'], {});
    expect(help).toBeInstanceOf(ConfigHelp);
    expect((help as ConfigHelp).text).toMatch(
      /--listen <address> +Serve here\. \(env T_LISTEN, default\s+127\.0\.0\.1:7400\)/,
    );
    expect((config.read(['--version'], {}) as ConfigHelp).text).toBe('1.2.3\n');
  });
});

describe('parsers', () => {
  const cases: [string, string, Parser<unknown>, unknown][] = [
    ['address', 'localhost:80', address, { host: 'localhost', port: 80 }],
    ['address', '[fd00::1]:80', address, { host: 'fd00::1', port: 80 }],
    ['url', 'nats://u:p@h:1', url('nats', 'tls'), 'nats://u:p@h:1'],
    ['integer', '9', integer({ min: 1, max: 9 }), 9],
    ['durationMs', '2h', durationMs, 7_200_000],
    ['durationMs', '500ms', durationMs, 500],
    ['cidr', '10.96.0.0/16', cidr, { text: '10.96.0.0/16', address: '10.96.0.0', prefixLength: 16, family: 4 }],
    ['cidr', '0.0.0.0/0', cidr, { text: '0.0.0.0/0', address: '0.0.0.0', prefixLength: 0, family: 4 }],
    ['cidr', 'fd00::/64', cidr, { text: 'fd00::/64', address: 'fd00::', prefixLength: 64, family: 6 }],
    ['oneOf', 'b', oneOf('a', 'b'), 'b'],
    ['boolean', '0', boolean, false],
    ['list', '1,2', list(integer()), [1, 2]],
  ];
  test.each(cases)('%s takes %s', (_, given, parse, value) => expect(parse(given)).toEqual(value));

  const wrong: [string, string, Parser<unknown>, string][] = [
    ['address', 'h:70000', address, 'host:port'],
    ['address', ':80', address, 'host:port'],
    ['address', '[1.2.3.4]:80', address, 'host:port'],
    ['url', 'http://h', url('nats'), 'a URL like nats://host:port'],
    ['url', 'localhost', url('nats'), 'a URL like nats://host:port'],
    ['url', 'nats:h', url('nats'), 'a URL like nats://host:port'],
    ['integer', '10', integer({ min: 1, max: 9 }), 'a whole number at least 1 at most 9'],
    ['integer', '1.5', integer(), 'a whole number'],
    ['durationMs', '-1s', durationMs, 'a duration'],
    ['cidr', '10.96.1.2/16', cidr, 'did you mean 10.96.0.0/16?'],
    ['cidr', '10.96.0.0', cidr, 'a network like'],
    ['cidr', '10.96.0.0/33', cidr, 'a network like'],
    ['text', ' ', text, 'some text'],
    ['oneOf', 'c', oneOf('a', 'b'), 'one of a, b'],
    ['boolean', 'yes', boolean, 'true or false'],
    ['list', '1,x', list(integer()), 'separated by commas'],
  ];
  test.each(wrong)('%s refuses %s', (_, given, parse, message) => {
    expect(() => parse(given)).toThrow(Expected);
    expect(() => parse(given)).toThrow(message);
  });
});
