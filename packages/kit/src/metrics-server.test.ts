import { afterEach, describe, expect, test } from 'vitest';
import { formatAddress } from './address.ts';
import { createLogger } from './logger.ts';
import { createMetrics } from './metrics.ts';
import { MetricsServer } from './metrics-server.ts';

describe('MetricsServer', () => {
  let reason: string | undefined;
  let remark: string | undefined;
  const metrics = createMetrics('test');
  const logger = createLogger({ name: 'test', level: 'silent' });
  const server = new MetricsServer({
    listen: { host: '127.0.0.1', port: 0 },
    metrics,
    logger,
    checks: [() => reason],
    remarks: [() => remark],
  });
  afterEach(() => server.stop());

  test('serves metrics, life and readiness', async () => {
    await server.start();
    const get = async (path: string) => {
      const response = await fetch(`http://${formatAddress(server.address)}${path}`);
      return { status: response.status, body: await response.text() };
    };
    const things = { name: 'things_total', help: 'Things.', labelNames: ['kind'] };
    metrics.counter(things).inc({ kind: 'a' });
    metrics.counter(things).inc({ kind: 'a' });
    const { status, body } = await get('/metrics');
    expect(status).toBe(200);
    expect(body).toContain('things_total{kind="a",service="test"} 2');
    expect(body).toContain('process_resident_memory_bytes');
    expect(await get('/healthz')).toEqual({ status: 200, body: 'ok\n' });
    expect(await get('/readyz?x')).toEqual({ status: 200, body: 'ok\n' });
    remark = 'etcd is nearly full';
    expect(await get('/readyz')).toEqual({ status: 200, body: 'ok\netcd is nearly full\n' });
    reason = 'etcd is away';
    expect(await get('/readyz')).toEqual({ status: 503, body: 'etcd is away\n' });
    expect((await get('/')).status).toBe(404);
    await server.stop();
    await server.stop();
  });
});
