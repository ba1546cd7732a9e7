import { waitFor } from '@navarch/testing';
import { describe, expect, test } from 'vitest';
import type { Cluster } from '../cluster.ts';
import { constantLoad } from '../http.ts';
import type { List, PodJson, ServiceJson } from '../shapes.ts';

/** A new image replaces the old one step by step, and back, while clients ask without pause. */
export function rollout(cluster: () => Cluster): void {
  describe('rolling update', () => {
    const images = async () => {
      const pods = await cluster().json<List<PodJson>>('get', 'pods', '-l', 'app=nginx');
      const names = pods.items.filter(({ metadata }) => metadata.name !== 'nginx');
      return [...new Set(names.map((pod) => pod.spec.containers[0]?.image))];
    };
    // The rollout is over when the old Pods are asked to go; they end in their own time.
    const runOnly = (image: string) =>
      waitFor(async () => (await images()).join() === image, {
        timeoutMs: 40_000,
        intervalMs: 200,
        what: `Pods of ${image} only`,
      });
    const change = async (...command: string[]) => {
      const { spec } = await cluster().json<ServiceJson>('get', 'service', 'nginx-service');
      const load = constantLoad(`http://${spec.clusterIP}/`);
      await cluster().navctl(...command);
      await cluster().navctl('rollout', 'status', 'deploy/nginx-deployment', '--timeout=100s');
      return load.stop();
    };

    test('changes the image without failing a request', async () => {
      const { answered, failures } = await change('set', 'image', 'deploy/nginx-deployment', 'nginx=nginx:1.23');
      expect(failures).toEqual([]);
      expect(answered).toBeGreaterThan(50);
      await runOnly('nginx:1.23');
    });

    test('goes back with undo, without failing a request', async () => {
      const { failures } = await change('rollout', 'undo', 'deploy/nginx-deployment');
      expect(failures).toEqual([]);
      await runOnly('nginx');
    });
  });
}
