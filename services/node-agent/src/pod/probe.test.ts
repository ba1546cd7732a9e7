import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Probe } from '@navarch/proto';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FakeRuntime } from '../runtime/fake-runtime.ts';
import { container } from './pod.fixture.ts';
import { probeStep, unprobed } from './probe.ts';
import { checkProbe } from './probe-check.ts';

describe('a probe', () => {
  const after = (results: string, success: number, failure: number) =>
    results
      .split('')
      .reduce(
        (state, result) =>
          probeStep(state, Probe.fromPartial({ successThreshold: success, failureThreshold: failure }), result === '+'),
        unprobed,
      ).healthy;

  test.each([
    { results: '', success: 1, failure: 3, healthy: undefined },
    { results: '+', success: 1, failure: 3, healthy: true },
    { results: '--', success: 1, failure: 3, healthy: undefined },
    { results: '---', success: 1, failure: 3, healthy: false },
    { results: '+--', success: 1, failure: 3, healthy: true },
    { results: '+--+--', success: 1, failure: 3, healthy: true },
    { results: '+---', success: 1, failure: 3, healthy: false },
    { results: '---+', success: 2, failure: 3, healthy: false },
    { results: '---++', success: 2, failure: 3, healthy: true },
  ])('that saw "$results" ($success good, $failure bad) says $healthy', ({ results, success, failure, healthy }) => {
    expect(after(results, success, failure)).toBe(healthy);
  });

  test('says what the last long enough run of results said', () => {
    const results = fc.array(fc.constantFrom('+', '-'), { maxLength: 40 });
    const threshold = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(results, threshold, threshold, (list, success, failure) => {
        const text = list.join('');
        const last = Math.max(text.lastIndexOf('+'.repeat(success)), text.lastIndexOf('-'.repeat(failure)));
        const expected = last < 0 ? undefined : text[last] === '+';
        expect(after(text, success, failure)).toBe(expected);
      }),
    );
  });
});

describe('a check', () => {
  let server: Server;
  let port: number;
  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.url === '/slow') return;
      response.writeHead(request.url === '/moved' ? 302 : request.headers['x-token'] === 'yes' ? 200 : 503).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port; // a TCP server's address is an AddressInfo
  });
  afterAll(() => server.close());

  const check = (probe: Parameters<typeof Probe.fromPartial>[0], timeoutMs = 1000) => {
    const ports = [{ name: 'web', containerPort: port, hostPort: 0, protocol: 'TCP' }];
    const target = {
      container: container({ ports }),
      containerId: 'none',
      ip: '127.0.0.1',
      runtime: new FakeRuntime(),
    };
    return checkProbe(Probe.fromPartial(probe), target, timeoutMs);
  };
  const token = [{ name: 'X-Token', value: 'yes' }];

  test('by HTTP', async () => {
    expect(await check({ httpGet: { port, httpHeaders: token } })).toEqual({ passed: true, message: '' });
    expect(await check({ httpGet: { port: 'web', httpHeaders: token, path: '/x' } })).toMatchObject({ passed: true });
    expect(await check({ httpGet: { port, path: '/moved' } })).toMatchObject({ passed: true });
    expect(await check({ httpGet: { port } })).toEqual({
      passed: false,
      message: 'HTTP probe failed with statuscode: 503',
    });
    expect(await check({ httpGet: { port, path: '/slow' } }, 50)).toMatchObject({ passed: false });
    expect(await check({ httpGet: { port: 'nope' } })).toMatchObject({
      passed: false,
      message: expect.stringContaining('no port named "nope"'),
    });
  });

  test('by TCP', async () => {
    expect(await check({ tcpSocket: { port } })).toMatchObject({ passed: true });
    expect(await check({ tcpSocket: { port: 1 } })).toMatchObject({ passed: false });
  });

  test('by a program that can not be run fails', async () => {
    expect(await check({ exec: { command: ['true'] } })).toMatchObject({ passed: false });
  });
});
