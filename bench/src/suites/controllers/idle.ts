import { EtcdStore } from '@navarch/store';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Figure } from '../../frame/figure.ts';
import type { SimulatedCluster } from '../simulated-cluster.ts';

const seconds = 30;
/** After the last change somebody may still have something to write down. */
const settleMs = 10_000;
/** Leaders and nodes renew these for ever: not a controller's doing. */
const leases = '/navarch/coordination.k8s.io/leases/';

/** What is written and spent while nothing changes, in a cluster that is as full as the part before left it. */
export async function* idle(cluster: SimulatedCluster, say: (line: string) => void): AsyncIterable<Figure> {
  await sleep(settleMs);
  say(`looking on for ${seconds} s while nothing changes …`);
  const store = new EtcdStore({ endpoints: cluster.etcd.endpoint });
  const before = cluster.cpuSeconds();
  let written: readonly string[];
  try {
    written = await keysWritten(store);
  } finally {
    await store.close();
  }
  for (const key of new Set(written)) say(`  written at rest: ${key}`);
  yield {
    name: `written to etcd in ${seconds} s without a change`,
    value: written.length,
    unit: '',
    goal: { atMost: 0 },
  };
  for (const [name, cpu] of cluster.cpuSeconds()) {
    yield { name: `${name} at rest`, value: ((cpu - (before.get(name) ?? 0)) / seconds) * 100, unit: '% of a core' };
  }
}

async function keysWritten(store: EtcdStore): Promise<readonly string[]> {
  const keys: string[] = [];
  const enough = AbortSignal.timeout(seconds * 1000);
  const after = await store.revision();
  for await (const { events } of store.watch('/navarch/', { after, bookmarkMs: 0, signal: enough })) {
    keys.push(...events.map((event) => (event.type === 'put' ? event.entry.key : event.key)));
  }
  return keys.filter((key) => !key.startsWith(leases));
}
