/** For tests: many writers in one namespace under a quota, and a witness that counts at every revision. */
import { parseQuantity, type Random } from '@navarch/machinery';
import { DeleteRequest, type Pod, type Resource, type ResourceQuota, WatchEvent_Type } from '@navarch/proto';
import { waitFor } from '@navarch/testing';
import { resource, type TestClient, valueOf } from '../api.fixture.ts';
import { configMap } from './manifests.fixture.ts';

const namespace = 'crowded';
const limited = ['pods', 'requests.cpu', 'configmaps'] as const;
type Sums = Record<(typeof limited)[number], bigint>;

export interface Story {
  /** What the witness saw that must never be. */
  readonly faults: readonly string[];
  /** How many of the writers' wishes were granted, and how many refused. */
  readonly granted: number;
  readonly refused: number;
  /** At rest, by the witness's own count and by the quota's. */
  readonly counted: Sums;
  readonly used: Sums;
}

export async function quotaStory(clients: readonly TestClient[], random: Random): Promise<Story> {
  const [first] = clients;
  if (first === undefined) throw new Error('a story needs an api');
  await first.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const stop = new AbortController();
  const witness = new Witness();
  const watching = witness.watch(first, stop.signal);
  let [granted, refused, made] = [0, 0, 0];

  const pod = () => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `p${made++}`, namespace },
    spec: {
      containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: random.pick(['100m', '300m', '1']) } } }],
    },
  });
  const map = () => configMap('', { metadata: { name: `c${made++}`, namespace } });
  const create = (manifest: Record<string, unknown>) => ({
    write: { $case: 'create' as const, value: resource(manifest) },
  });
  const remove = (kind: string, name: string) => ({
    write: { $case: 'delete' as const, value: DeleteRequest.fromJSON({ resource: kind, namespace, name }) },
  });
  const someName = (letter: string) => `${letter}${random.below(made + 1)}`;
  const quota = () => ({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'q', namespace },
    spec: {
      hard: {
        pods: random.pick(['6', '9']),
        'requests.cpu': random.pick(['1500m', '3']),
        ...random.pick([{}, { configmaps: '7' }]),
      },
    },
  });
  const wishes: readonly ((client: TestClient) => Promise<unknown>)[] = [
    (client) => client.create(pod()),
    (client) => client.create(pod()),
    (client) => client.create(map()),
    (client) => client.delete({ resource: 'pods', namespace, name: someName('p') }),
    (client) => client.delete({ resource: 'configmaps', namespace, name: someName('c') }),
    (client) =>
      client.patch({
        resource: 'pods',
        namespace,
        name: someName('p'),
        subresource: 'status',
        type: 'TYPE_MERGE',
        patch: JSON.stringify({ status: { phase: 'Succeeded' } }),
      }),
    (client) => client.transact({ writes: [create(pod()), create(map()), create(pod())], atomic: true }),
    (client) => client.transact({ writes: [remove('pods', someName('p')), create(pod())], atomic: true }),
  ];
  const rare: typeof wishes = [
    (client) => client.create(quota()),
    (client) => client.apply(quota()),
    (client) => client.delete({ resource: 'resourcequotas', namespace, name: 'q' }),
  ];
  const writer = async (client: TestClient) => {
    for (let i = 0; i < 12; i++) {
      const wish = random.chance(0.15) ? random.pick(rare) : random.pick(wishes);
      await wish(client).then(
        () => granted++,
        () => refused++,
      );
    }
  };
  await Promise.all(Array.from({ length: 16 }, (_, i) => writer(clients[i % clients.length] ?? first)));

  // At rest, there is a quota that everything is counted for.
  await first.delete({ resource: 'resourcequotas', namespace, name: 'q' }).catch(() => undefined);
  const all = { ...quota(), spec: { hard: { pods: '900', 'requests.cpu': '900', configmaps: '900' } } };
  await first.create(all);
  const last = await first.create({ ...pod(), metadata: { name: 'last', namespace } });
  await waitFor(() => witness.revision >= last.revision);
  stop.abort();
  await watching;
  const { status } = valueOf<ResourceQuota>(await first.get({ resource: 'resourcequotas', namespace, name: 'q' }));
  return { faults: witness.faults, granted, refused, counted: witness.sums(), used: amounts(status?.used ?? {}) };
}

class Witness {
  readonly faults: string[] = [];
  revision = 0n;
  readonly #objects = new Map<string, Resource>();
  #before: Sums = { pods: 0n, 'requests.cpu': 0n, configmaps: 0n };

  async watch(client: TestClient, signal: AbortSignal): Promise<void> {
    const targets = ['pods', 'configmaps', 'resourcequotas'].map((resource) => ({ resource, namespace }));
    for await (const { events, revision, initial } of client.watch({ targets }, signal)) {
      for (const { type, resource: object } of events) {
        const { name = '' } = valueOf<Pod>(object).metadata ?? {};
        const key = `${object?.object?.$case} ${name}`;
        if (type === WatchEvent_Type.DELETED || object === undefined) this.#objects.delete(key);
        else this.#objects.set(key, object);
      }
      if (initial) continue;
      this.#judge(revision);
      this.revision = revision;
    }
  }

  sums(): Sums {
    const sums: Sums = { pods: 0n, 'requests.cpu': 0n, configmaps: 0n };
    for (const [key, object] of this.#objects) {
      if (key.startsWith('configMap')) sums.configmaps += 1_000_000_000n;
      if (!key.startsWith('pod')) continue;
      const { spec, status } = valueOf<Pod>(object);
      if (status?.phase === 'Succeeded') continue;
      sums.pods += 1_000_000_000n;
      sums['requests.cpu'] += parseQuantity(spec?.containers[0]?.resources?.requests['cpu'] ?? '') ?? 0n;
    }
    return sums;
  }

  #judge(revision: bigint): void {
    const sums = this.sums();
    const quota = this.#objects.get('resourceQuota q');
    const { spec, status } = quota === undefined ? {} : valueOf<ResourceQuota>(quota);
    const counted = JSON.stringify(spec?.hard) === JSON.stringify(status?.hard);
    const [hard, used] = [amounts(spec?.hard ?? {}), amounts(status?.used ?? {})];
    for (const name of limited) {
      const [sum, before, most] = [sums[name], this.#before[name], hard[name]];
      if (!(name in (spec?.hard ?? {}))) continue;
      if (sum > most && sum > before) this.faults.push(`at ${revision} ${name} rose to ${sum}, above ${most}`);
      if (counted && used[name] !== sum) this.faults.push(`at ${revision} ${name} is ${sum}, used says ${used[name]}`);
    }
    this.#before = sums;
  }
}

function amounts(texts: Readonly<Record<string, string>>): Sums {
  const read = (name: (typeof limited)[number]) => parseQuantity(texts[name] ?? '') ?? 0n;
  return { pods: read('pods'), 'requests.cpu': read('requests.cpu'), configmaps: read('configmaps') };
}
