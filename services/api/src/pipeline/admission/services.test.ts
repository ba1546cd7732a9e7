import type { Service } from '@navarch/proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refusal, resource, startApi, type TestApi, type TestClient, valueOf } from '../../api.fixture.ts';
import { service } from '../manifests.fixture.ts';

let running: TestApi;
let client: TestClient;
beforeAll(async () => {
  running = await startApi();
  client = running.client;
});
afterAll(() => running[Symbol.asyncDispose]());

describe('services', () => {
  test('get an address and node ports, keep them, and give them back', async () => {
    const made = valueOf<Service>(await client.create(service('lb', { type: 'LoadBalancer' }))).spec!;
    expect(made.clusterIp).toMatch(/^10\.96\./);
    expect(made.ports[0]?.nodePort).toBeGreaterThanOrEqual(30_000);
    const kept = valueOf<Service>(
      await client.update(resource(service('lb', { type: 'LoadBalancer', ports: [{ port: 80, targetPort: 8080 }] }))),
    ).spec!;
    expect(kept).toMatchObject({ clusterIp: made.clusterIp, ports: [{ nodePort: made.ports[0]?.nodePort }] });
    const taken = await refusal(client.create(service('thief', { clusterIP: made.clusterIp })));
    expect(taken).toMatchObject({
      reason: 'Invalid',
      fields: [{ path: 'spec.clusterIP', message: expect.stringContaining('default/lb') }],
    });
    const plain = valueOf<Service>(await client.update(resource(service('lb')))).spec!;
    expect(plain).toMatchObject({ clusterIp: made.clusterIp, ports: [{ nodePort: 0 }] });
    await client.delete({ resource: 'services', namespace: 'default', name: 'lb' });
    await client.create(service('heir', { clusterIP: made.clusterIp }));
    expect((await running.store.list('/navarch-allocations/nodeport/')).entries).toEqual([]);
  });

  test.each([
    { ip: '10.97.0.1', message: 'must be in 10.96.0.0/16' },
    { ip: '10.96.0.10', message: 'reserved' },
    { ip: 'nonsense', message: 'IPv4' },
  ])('$ip is refused', async ({ ip, message }) => {
    const error = await refusal(client.create(service('odd', { clusterIP: ip })));
    expect(error.fields[0]).toMatchObject({ path: 'spec.clusterIP', message: expect.stringContaining(message) });
  });

  test('headless ones get none', async () => {
    const headless = valueOf<Service>(await client.create(service('headless', { clusterIP: 'None' }))).spec!;
    expect(headless).toMatchObject({ clusterIp: 'None', ports: [{ nodePort: 0 }] });
  });
});
