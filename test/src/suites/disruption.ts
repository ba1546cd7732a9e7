import { waitFor } from '@navarch/testing';
import { afterAll, describe, expect, test } from 'vitest';
import type { Cluster } from '../cluster.ts';
import { httpStatus } from '../http.ts';
import { isReady, type List, type NodeJson, type PodJson, type ServiceJson } from '../shapes.ts';

const labels = { app: 'moving' };
const manifests = [
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'moving' },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 2,
          containers: [
            {
              name: 'nginx',
              image: 'nginx',
              ports: [{ containerPort: 80 }],
              readinessProbe: { httpGet: { path: '/', port: 80 }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'moving' },
    spec: { selector: labels, ports: [{ port: 80 }] },
  },
  {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'moving' },
    spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
  },
];

/** A node is emptied, and what runs on it serves meanwhile. */
export function disruption(cluster: () => Cluster): void {
  const pods = async () => (await cluster().json<List<PodJson>>('get', 'pods', '-l', 'app=moving')).items;
  const ready = async () =>
    (await pods()).filter((pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined);
  const onlyNode = async () => {
    const [node] = (await cluster().json<List<NodeJson>>('get', 'nodes')).items;
    if (node === undefined) throw new Error('there is no node');
    return node;
  };
  const serves = async () => {
    const { spec } = await cluster().json<ServiceJson>('get', 'service', 'moving');
    return (await httpStatus(`http://${spec.clusterIP}/`)) === 200;
  };

  describe('draining a node', () => {
    afterAll(async () => {
      await cluster().tryNavctl(['delete', 'pdb,deploy,service', 'moving']);
      await cluster().tryNavctl(['uncordon', (await onlyNode()).metadata.name]);
    });

    test('moves one Pod at a time as its budget says, waits for a place for it, and the service answers meanwhile', async () => {
      const applied = await cluster().tryNavctl(
        ['apply', '-f', '-'],
        manifests.map((each) => JSON.stringify(each)).join('\n---\n'),
      );
      expect(applied).toMatchObject({ code: 0 });
      await waitFor(async () => (await ready()).length === 3, { timeoutMs: 60_000, what: 'three ready Pods' });
      const before = (await pods()).map(({ metadata }) => metadata.uid);
      const { name } = (await onlyNode()).metadata;
      await waitFor(async () => /moving +N\/A +1 +1 /.test(await cluster().navctl('get', 'pdb', '--no-headers')), {
        timeoutMs: 20_000,
        what: 'the budget to be counted',
      });

      const ended = new AbortController();
      let fewest = 3;
      const draining = cluster()
        .tryNavctl(['drain', name, '--pod-selector=app=moving', '--timeout=150s'])
        .finally(() => ended.abort());
      // There is no other node: whoever takes the place of the first waits, and with it the drain.
      await waitFor(async () => (await pods()).some(({ spec }) => spec.nodeName === undefined), {
        timeoutMs: 60_000,
        what: 'a Pod without a place',
      });
      expect(await cluster().navctl('get', 'node', name)).toContain('Ready,SchedulingDisabled');
      expect((await onlyNode()).spec?.taints?.map(({ key, effect }) => `${key}:${effect}`)).toContain(
        'node.kubernetes.io/unschedulable:NoSchedule',
      );
      expect((await ready()).length).toBe(2);
      expect(await serves()).toBe(true);
      const refused = await cluster().tryNavctl(['drain', name, '--pod-selector=app=moving', '--timeout=1s']);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain('the disruption budget moving needs 2 healthy pods and has 2 currently');

      await cluster().navctl('uncordon', name);
      while (!ended.signal.aborted) {
        fewest = Math.min(fewest, (await ready()).length);
        expect(await serves()).toBe(true);
      }
      const drained = await draining;
      expect(drained).toMatchObject({ code: 0, stdout: expect.stringContaining(`node/${name} drained`) });
      expect(drained.stderr).toContain('waiting to evict: the disruption budget moving needs 2 healthy pods');
      expect(fewest).toBeGreaterThanOrEqual(2);
      await waitFor(async () => (await ready()).length === 3, { timeoutMs: 60_000, what: 'three ready Pods again' });
      expect((await pods()).filter(({ metadata }) => before.includes(metadata.uid))).toEqual([]);
    });
  });
}
