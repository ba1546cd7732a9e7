import { subject } from '@navarch/bus';
import { type ApiClient, createClient } from '@navarch/client';
import { NodeUsageReport, type PushedMetric } from '@navarch/proto';
import { waitFor } from '@navarch/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refusal, startApi, type TestApi, valueOf } from '../api.fixture.ts';

let running: TestApi;
let client: ApiClient;
let uid: string;

const mebibyte = 1_048_576n;

beforeAll(async () => {
  running = await startApi();
  client = createClient({ address: running.address });
  await running.client.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', labels: { zone: 'a' } } });
  await running.client.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n2' } });
  const containers = [{ name: 'c', image: 'x' }];
  const made = await running.client.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default', labels: { app: 'web' } },
    spec: { nodeName: 'n1', containers },
  });
  const pod = valueOf<{ metadata: { uid: string } }>(made);
  ({ uid } = pod.metadata);
  const status = { phase: 'Running' };
  await running.client.patch({
    resource: 'pods',
    namespace: 'default',
    name: 'web',
    type: 'TYPE_MERGE',
    patch: JSON.stringify({ status }),
    subresource: 'status',
  });
});

afterAll(async () => {
  client.close();
  await running[Symbol.asyncDispose]();
});

function tell(): void {
  const usage = { cpuNanocores: 250_000_000n, memoryBytes: 64n * mebibyte };
  const report = NodeUsageReport.fromPartial({
    nodeName: 'n1',
    time: '2026-01-01T00:00:10Z',
    windowMs: 10_000n,
    intervalMs: 10_000n,
    node: { cpuNanocores: 1_500_000_000n, memoryBytes: 900n * mebibyte },
    pods: [{ uid, containers: [{ name: 'c', usage }] }],
  });
  running.bus.publish(subject('usage', 'n1'), NodeUsageReport.encode(report).finish());
}

describe('usage', () => {
  test('is unknown before anybody has told it, and says why', async () => {
    expect(await client.metrics.podUsage()).toMatchObject({ items: [], missing: ['default/web'] });
    const { missing, explanation } = await client.metrics.nodeUsage();
    expect(missing).toEqual(['n1', 'n2']);
    expect(explanation).toContain('every few seconds');
  });

  test('of nodes and Pods, as their nodes told it', async () => {
    tell();
    const { items } = await waitFor(async () => {
      const found = await client.metrics.nodeUsage();
      return found.items.length > 0 && found;
    });
    expect(items).toMatchObject([
      { name: 'n1', labels: { zone: 'a' }, windowMs: 10_000n, usage: { cpuNanocores: 1_500_000_000n } },
    ]);
    expect((await client.metrics.podUsage({ namespace: 'default' })).items).toMatchObject([
      {
        namespace: 'default',
        name: 'web',
        timestamp: '2026-01-01T00:00:10.000Z',
        containers: [{ name: 'c', usage: { cpuNanocores: 250_000_000n, memoryBytes: 64n * mebibyte } }],
      },
    ]);
  });

  test('can be chosen by name, label and field', async () => {
    const { metrics } = client;
    expect((await metrics.podUsage({ labelSelector: 'app=web' })).items).toHaveLength(1);
    expect((await metrics.podUsage({ labelSelector: 'app=other' })).items).toHaveLength(0);
    expect((await metrics.podUsage({ fieldSelector: 'spec.nodeName=n2' })).items).toHaveLength(0);
    expect((await metrics.podUsage({ namespace: 'kube-system' })).items).toHaveLength(0);
    expect((await metrics.nodeUsage({ labelSelector: 'zone=a' })).missing).toEqual([]);
    const error = await refusal(metrics.nodeUsage({ name: 'n3' }));
    expect(error).toMatchObject({ reason: 'NotFound', message: expect.stringContaining('"n3"') as string });
  });
});

describe('metrics that are pushed', () => {
  const metric = (more: Partial<PushedMetric> = {}) => ({ namespace: 'default', name: 'length', value: '12', ...more });

  test('can be read again', async () => {
    await client.metrics.push([metric({ labels: { queue: 'mail' } })]);
    const { metrics } = await waitFor(async () => {
      const found = await client.metrics.pushed({ name: 'length' });
      return found.metrics.length > 0 && found;
    });
    expect(metrics).toMatchObject([{ name: 'length', value: '12', labels: { queue: 'mail' } }]);
    expect(Date.parse(metrics[0]?.time ?? '')).not.toBeNaN();
    expect((await client.metrics.pushed({ namespace: 'kube-system' })).metrics).toEqual([]);
  });

  test.each([
    { what: 'no value', metrics: [], message: 'at least one' },
    { what: 'too many', metrics: Array.from({ length: 1001 }, () => metric()), message: 'at most 1000' },
    { what: 'no such namespace', metrics: [metric({ namespace: 'nowhere' })], message: 'metrics[0].namespace' },
    { what: 'no name', metrics: [metric(), metric({ name: '' })], message: 'metrics[1].name: must be set' },
    { what: 'a value that is none', metrics: [metric({ value: 'many' })], message: 'must be a quantity' },
    { what: 'a label that is none', metrics: [metric({ labels: { a: 'b c' } })], message: 'metrics[0].labels.a' },
    { what: 'a time to live that is too long', metrics: [metric({ ttlMs: 600_001n })], message: 'ttlMs' },
  ])('$what is refused', async ({ metrics, message }) => {
    const error = await refusal(client.metrics.push(metrics));
    expect(error.message).toContain(message);
  });

  test('are refused while the bus is down, with the reason', async () => {
    running.hub.stop();
    const error = await refusal(client.metrics.push([metric()]));
    expect(error).toMatchObject({ reason: 'Unavailable', message: expect.stringContaining('NATS') as string });
    running.hub.start();
  });
});
