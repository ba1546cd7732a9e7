/** For tests: Pods under a budget that fail and recover while many ask for them to go, and a witness of every revision. */
import { isApiError, type Random } from '@navarch/machinery';
import {
  type Condition,
  Eviction,
  type Pod,
  type PodDisruptionBudget,
  type Resource,
  WatchEvent_Type,
} from '@navarch/proto';
import { waitFor } from '@navarch/testing';
import { type TestClient, valueOf } from '../api.fixture.ts';

const namespace = 'default';
const labels = { app: 'web' };
const replicas = 8;
export const mostHealthy = 5;

export interface EvictionStory {
  /** Evictions that left fewer healthy Pods than there must be. */
  readonly faults: readonly string[];
  readonly granted: number;
  readonly refused: number;
}

/**
 * In each round some Pods fail or recover, and that is known; then everybody asks at once, while more Pods recover and the
 * budget is counted again, as the controller does, on whatever it sees.
 */
export async function evictionStory(
  clients: readonly TestClient[],
  random: Random,
  rounds: number,
): Promise<EvictionStory> {
  const [first] = clients;
  if (first === undefined) throw new Error('a story needs an api');
  await first.create({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'web', namespace },
    spec: { minAvailable: mostHealthy, selector: { matchLabels: labels } },
  });
  await first.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });
  const stop = new AbortController();
  const witness = new Witness();
  const watching = witness.watch(first, stop.signal);
  let [granted, refused, made] = [0, 0, 0];
  const names = () => [...witness.pods.keys()];

  const grow = async () => {
    while (witness.pods.size < replicas) {
      const name = `p${made++}`;
      const spec = { containers: [{ name: 'c', image: 'x' }], nodeName: 'n1' };
      await first.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels }, spec });
      const { revision } = await setReady(first, name, random.chance(0.8));
      await waitFor(() => witness.revision >= revision);
    }
  };
  const ask = async (client: TestClient) => {
    const eviction = () => Eviction.fromJSON({ namespace, name: random.pick(names()) });
    const several = random.chance(0.3);
    const wishes = Array.from({ length: several ? 3 : 1 }, () => ({
      write: { $case: 'evict' as const, value: eviction() },
    }));
    const { results } = await client.transact({ writes: wishes });
    for (const { result } of results) {
      if (result?.$case === 'resource') granted++;
      else refused++;
    }
  };
  for (let round = 0; round < rounds; round++) {
    await grow();
    const changing = names().filter(() => random.chance(0.3));
    await Promise.all(changing.map((name) => setReady(random.pick(clients), name, random.chance(0.5))));
    // Done, but maybe not seen yet by the replica that is asked next.
    await Promise.all([
      ...Array.from({ length: 8 }, (_, i) => ask(clients[i % clients.length] ?? first)),
      ...clients.map(countBudget),
      ...names()
        .filter(() => random.chance(0.2))
        .map((name) => setReady(first, name, true).catch(goneAlready)),
      countBudget(first),
    ]);
    // The node ends what was asked to go.
    const going = [...witness.pods.values()].filter(({ metadata }) => metadata?.deletionTimestamp !== '');
    for (const { metadata } of going) {
      await first
        .delete({ resource: 'pods', namespace, name: metadata?.name, gracePeriodSeconds: 0 })
        .catch(goneAlready);
    }
    await waitFor(() => names().every((name) => !going.some(({ metadata }) => metadata?.name === name)));
  }
  stop.abort();
  await watching;
  return { faults: witness.faults, granted, refused };
}

async function setReady(client: TestClient, name: string, ready: boolean): Promise<Resource> {
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }];
  const patch = JSON.stringify({ status: { phase: 'Running', conditions } });
  return client.patch({ resource: 'pods', namespace, name, subresource: 'status', type: 'TYPE_MERGE', patch });
}

/** As the controller does: what it saw at one revision, written if nobody has changed the budget since. */
async function countBudget(client: TestClient): Promise<void> {
  const budget = await client.get({ resource: 'poddisruptionbudgets.policy', namespace, name: 'web' });
  const { items } = await client.list({ resource: 'pods', namespace });
  const pods = items.map((item) => valueOf<Pod>(item));
  const value = valueOf<PodDisruptionBudget>(budget);
  const currentHealthy = pods.filter(isHealthy).length;
  const status = {
    observedGeneration: value.metadata?.generation ?? 0,
    disruptedPods: {},
    disruptionsAllowed: Math.max(0, currentHealthy - mostHealthy),
    currentHealthy,
    desiredHealthy: mostHealthy,
    expectedPods: pods.length,
    conditions: [],
  };
  const object = { $case: 'podDisruptionBudget' as const, value: { ...value, status } };
  await client.updateStatus({ ...budget, object }).catch((error: unknown) => {
    if (!isApiError(error, 'Conflict')) throw error;
  });
}

function goneAlready(error: unknown): void {
  if (!isApiError(error, 'NotFound')) throw error;
}

function isHealthy({ metadata, status }: Pod): boolean {
  const isReady = ({ type, status }: Condition) => type === 'Ready' && status === 'True';
  return metadata?.deletionTimestamp === '' && (status?.conditions.some(isReady) ?? false);
}

/** Looks at each revision at which Pods are asked to go: enough healthy ones must be left. */
class Witness {
  readonly faults: string[] = [];
  readonly pods = new Map<string, Pod>();
  revision = 0n;

  async watch(client: TestClient, signal: AbortSignal): Promise<void> {
    for await (const { events, revision } of client.watch({ targets: [{ resource: 'pods', namespace }] }, signal)) {
      const evicted: string[] = [];
      for (const { type, resource } of events) {
        const pod = valueOf<Pod>(resource);
        const name = pod.metadata?.name ?? '';
        const before = this.pods.get(name);
        if (before !== undefined && isHealthy(before) && pod.metadata?.deletionTimestamp !== '') evicted.push(name);
        if (type === WatchEvent_Type.DELETED) this.pods.delete(name);
        else this.pods.set(name, pod);
      }
      const healthy = [...this.pods.values()].filter(isHealthy).length;
      if (evicted.length > 0 && healthy < mostHealthy) {
        this.faults.push(`at ${revision} the eviction of ${evicted.join()} left ${healthy} healthy Pods`);
      }
      if (revision > this.revision) this.revision = revision;
    }
  }
}
