import { waitFor } from '@navarch/testing';
import { describe, expect, test } from 'vitest';
import type { Cluster } from '../cluster.ts';
import { isReady, type List, type PodJson } from '../shapes.ts';

/** A Pod on each node: placed, replaced when its template changes, brought back, taken away where it must not be. */
export function daemons(cluster: () => Cluster): void {
  describe('a DaemonSet', () => {
    const navctl = (...args: string[]) => cluster().navctl(...args);
    const pods = async () => (await cluster().json<List<PodJson>>('get', 'pods', '-l', 'app=watcher')).items;
    const nodes = async () =>
      (await cluster().json<List<{ metadata: { name: string } }>>('get', 'nodes')).items
        .map(({ metadata }) => metadata.name)
        .sort();
    const onNodes = async () =>
      (await pods())
        .filter(isReady)
        .map(({ spec }) => spec.nodeName ?? '')
        .sort();
    const round = async () => {
      const [pod] = await pods();
      return (await navctl('exec', pod?.metadata.name ?? '', '--', 'sh', '-c', 'echo $ROUND')).trim();
    };

    test('has a Pod on each node, also on one that is cordoned', async () => {
      const [first = ''] = await nodes();
      await navctl('cordon', first);
      await navctl('apply', '-f', 'test/manifests/daemons.yaml');
      await navctl('rollout', 'status', 'ds/watcher', '--timeout=60s');
      await navctl('uncordon', first);
      expect(await onNodes()).toEqual(await nodes());
      expect(await round()).toBe('1');
    });

    test('is rolled out and undone, and remembers', async () => {
      await navctl('set', 'env', 'ds/watcher', 'ROUND=2');
      await navctl('rollout', 'status', 'ds/watcher', '--timeout=60s');
      expect(await round()).toBe('2');
      await navctl('rollout', 'undo', 'ds/watcher');
      await navctl('rollout', 'status', 'ds/watcher', '--timeout=60s');
      expect(await round()).toBe('1');
      expect(await navctl('rollout', 'history', 'ds/watcher')).toMatch(/\n2 [^\n]*\n3 /);
      expect(await onNodes()).toEqual(await nodes());
    });

    test('gives a node another Pod for one that was deleted, and none to a node that must not have one', async () => {
      const [before] = await pods();
      await navctl('delete', 'pod', before?.metadata.name ?? '');
      await waitFor(async () => (await onNodes()).length === (await nodes()).length, {
        timeoutMs: 60_000,
        intervalMs: 200,
        what: 'another Pod',
      });
      expect((await pods()).map(({ metadata }) => metadata.uid)).not.toContain(before?.metadata.uid);
      const elsewhere = { spec: { template: { spec: { nodeSelector: { 'example.com/none': 'has-this' } } } } };
      await navctl('patch', 'ds', 'watcher', '-p', JSON.stringify(elsewhere));
      await waitFor(async () => (await pods()).length === 0, {
        timeoutMs: 60_000,
        intervalMs: 200,
        what: 'no Pod to be left',
      });
      expect(await navctl('get', 'ds', 'watcher', '--no-headers')).toMatch(/^watcher +0 +0 +0 +0 +0 +example.com/);
      await navctl('delete', 'ds', 'watcher');
    });
  });
}
