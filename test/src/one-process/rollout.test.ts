import { pod as podKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';
import { deployment, isReady, untilExactly, writesWithin } from './workloads.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let cluster: ClusterInProcess;
beforeAll(async () => {
  cluster = await ClusterInProcess.start({ nodes: 5 });
});
afterAll(() => cluster.stop());

describe('a Deployment on five nodes', () => {
  test('has its fifty Pods up, evenly spread, and then nobody writes any more', async () => {
    await cluster.apply(deployment({ name: 'web', replicas: 50, image: 'web:1' }));
    await untilExactly(cluster, [{ name: 'web', replicas: 50, image: 'web:1' }]);
    for (const node of cluster.nodes) expect(await node.running()).toHaveLength(10);
    expect(await writesWithin(cluster, 20_000)).toEqual([]);
  });

  test('gives Pods up when it is scaled down', async () => {
    expect(await cluster.navctl('scale', 'deployment/web', '--replicas=20')).toMatchObject({ code: 0 });
    await untilExactly(cluster, [{ name: 'web', replicas: 20, image: 'web:1' }]);
  });

  test('changes its image, and back, with enough Pods ready and not too many at every moment', async () => {
    await cluster.apply(deployment({ name: 'web', replicas: 20, image: 'web:1' }, limits));
    await using counts = watchCounts();
    await cluster.navctl('set', 'image', 'deployment/web', 'c=web:2');
    await untilExactly(cluster, [{ name: 'web', replicas: 20, image: 'web:2' }]);
    await cluster.navctl('rollout', 'undo', 'deployment/web');
    await untilExactly(cluster, [{ name: 'web', replicas: 20, image: 'web:1' }]);
    // Both ways all Pods were made anew.
    expect(counts.made).toBe(60);
    expect(counts.fewestReady).toBeGreaterThanOrEqual(20 - 3);
    expect(counts.mostWanted).toBeLessThanOrEqual(20 + 4);
  });
});

const limits = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 4, maxUnavailable: 3 } };

/** What the extremes were over all revisions since the call. */
function watchCounts(): AsyncDisposable & { made: number; fewestReady: number; mostWanted: number } {
  const stop = new AbortController();
  const counts = {
    made: 0,
    fewestReady: Number.POSITIVE_INFINITY,
    mostWanted: 0,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await watching;
    },
  };
  const watching = (async () => {
    const pods = new Map<string, Live<Pod>>();
    for await (const { events, initial } of cluster.client.watch(podKind, { signal: stop.signal })) {
      for (const { type, object } of events) {
        if (type === 'added') counts.made += 1;
        if (type === 'deleted') pods.delete(object.metadata.uid);
        else pods.set(object.metadata.uid, object);
      }
      if (initial) continue;
      const wanted = [...pods.values()].filter(({ metadata }) => metadata.deletionTimestamp === '');
      counts.fewestReady = Math.min(counts.fewestReady, wanted.filter(isReady).length);
      counts.mostWanted = Math.max(counts.mostWanted, wanted.length);
    }
  })();
  return counts;
}
