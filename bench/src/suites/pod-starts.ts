import { createClient } from '@navarch/client';
import { pod as podKind } from '@navarch/kinds';
import type { Pod } from '@navarch/proto';
import type { LocalCluster } from './local-cluster.ts';

/**
 * Applies Pods one after another and gives, for each, the milliseconds from the call to the watch event that shows it
 * Running. Its image is on the node already, so that what is measured is the cluster and not a download.
 */
export async function podStarts(cluster: LocalCluster, count: number, signal: AbortSignal): Promise<number[]> {
  const client = createClient({ address: cluster.apiAddress });
  const done = new AbortController();
  const began = new Map<string, number>();
  const waiting = new Map<string, (ms: number) => void>();
  const watching = (async () => {
    const watch = client.watch(podKind, {
      namespace: 'default',
      labelSelector: 'bench=pod-start',
      signal: AbortSignal.any([signal, done.signal]),
    });
    for await (const batch of watch) {
      for (const { object } of batch.events) {
        const start = began.get(object.metadata.name);
        if (start === undefined || object.status?.phase !== 'Running') continue;
        waiting.get(object.metadata.name)?.(performance.now() - start);
      }
    }
  })();
  try {
    const times: number[] = [];
    for (let number = 0; number < count; number++) {
      const name = `bench-${number}`;
      const running = new Promise<number>((resolve) => waiting.set(name, resolve));
      began.set(name, performance.now());
      await client.apply(JSON.stringify(manifest(name)), { signal });
      times.push(await Promise.race([running, watching.then(() => Promise.reject(new Error('the watch ended')))]));
    }
    return times;
  } finally {
    done.abort();
    await Promise.all([...began.keys()].map((name) => removePod(client, name)));
    client.close();
  }
}

async function removePod(client: ReturnType<typeof createClient>, name: string): Promise<void> {
  await client.delete<Pod>(podKind, { namespace: 'default', name }, { gracePeriodSeconds: 0 });
}

const manifest = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { bench: 'pod-start' } },
  spec: { containers: [{ name: 'web', image: 'nginx:1.22', imagePullPolicy: 'IfNotPresent' }] },
});
