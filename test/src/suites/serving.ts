import { waitFor } from '@navarch/testing';
import { describe, expect, test } from 'vitest';
import type { Cluster } from '../cluster.ts';
import { httpStatus } from '../http.ts';
import { podReady } from '../pods.ts';
import { isReady, type List, type PodJson, type ServiceJson } from '../shapes.ts';

/** The example of examples/nginx, which the cluster was started with. */
export function serving(cluster: () => Cluster): void {
  describe('the nginx example', () => {
    const service = () => cluster().json<ServiceJson>('get', 'service', 'nginx-service');

    test('runs one Pod and a Deployment of three', async () => {
      const pods = await cluster().json<List<PodJson>>('get', 'pods');
      expect(pods.items.map((pod) => pod.metadata.name).sort()).toEqual([
        'nginx',
        expect.stringMatching(/^nginx-deployment-[a-z0-9]+-[a-z0-9]+$/),
        expect.stringMatching(/^nginx-deployment-[a-z0-9]+-[a-z0-9]+$/),
        expect.stringMatching(/^nginx-deployment-[a-z0-9]+-[a-z0-9]+$/),
      ]);
      expect(pods.items.every(isReady)).toBe(true);
    });

    test('answers at the cluster address, at the node port and at the load balancer address', async () => {
      const { spec, status } = await service();
      const address = status?.loadBalancer?.ingress?.[0]?.ip;
      expect(address).toBeDefined();
      for (const place of [`${spec.clusterIP}:80`, `${address}:${spec.ports[0]?.nodePort}`, `${address}:80`]) {
        expect(await waitFor(() => httpStatus(`http://${place}/`), { what: place })).toBe(200);
      }
    });

    test('is spread over all its Pods', async () => {
      const { spec } = await service();
      const pods = (await cluster().json<List<PodJson>>('get', 'pods', '-l', 'app=nginx')).items;
      expect(pods.length).toBeGreaterThanOrEqual(3);
      for (let asked = 0; asked < 60; asked++) expect(await httpStatus(`http://${spec.clusterIP}/`)).toBe(200);
      for (const pod of pods) {
        const log = await cluster().navctl('logs', pod.metadata.name);
        expect(log, `requests in the log of ${pod.metadata.name}`).toContain('GET / HTTP/1.1');
      }
    });

    test('is found by name inside a Pod, short and in full, and through the load balancer address', async () => {
      const { status } = await service();
      await cluster().navctl('apply', '-f', 'test/manifests/client.yaml');
      await podReady(cluster(), 'client');
      const names = ['nginx-service', 'nginx-service.default.svc.cluster.local'];
      for (const host of [...names, status?.loadBalancer?.ingress?.[0]?.ip ?? 'no ingress']) {
        const page = await cluster().navctl('exec', 'client', '--', 'wget', '-q', '-O', '-', `http://${host}/`);
        expect(page.toLowerCase(), host).toContain('<html');
      }
      await cluster().navctl('delete', 'pod', 'client', '--grace-period=1');
    });
  });
}
