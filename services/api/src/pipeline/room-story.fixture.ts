/** For tests: schedulers that know nothing of one another bind Pods, and a witness counts at every revision. */
import { type Demand, plus, podDemand, type Resources, shortages, takesRoom } from '@navarch/kinds';
import type { Random } from '@navarch/machinery';
import { Binding, DeleteRequest, type Pod, type Resource, WatchEvent_Type, type Write } from '@navarch/proto';
import { waitFor } from '@navarch/testing';
import { resource, type TestClient, valueOf } from '../api.fixture.ts';

const namespace = 'default';
const nodes = ['n0', 'n1', 'n2', 'n3'];
const capacity = { cpu: '4', pods: '9', 'example.com/gpu': '3' };
const total: Resources = { cpu: 4_000, pods: 9, 'example.com/gpu': 3 };
const names = Array.from({ length: 120 }, (_, i) => `p${i}`);

export interface RoomStory {
  /** What the witness saw that must never be. */
  readonly faults: readonly string[];
  readonly bound: number;
  /** How many bindings were refused for want of room. */
  readonly refused: number;
}

export async function roomStory(clients: readonly TestClient[], random: Random): Promise<RoomStory> {
  const [first] = clients;
  if (first === undefined) throw new Error('a story needs an api');
  for (const name of nodes) {
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name } };
    const { revision } = await first.create(node);
    await first.updateStatus({ ...resource({ ...node, status: { allocatable: capacity } }), revision });
  }
  await Promise.all(names.map((name) => first.create(pod(name, random))));
  const stop = new AbortController();
  const witness = new Witness();
  const watching = witness.watch(first, stop.signal);

  let [bound, refused] = [0, 0];
  const scheduler = async (client: TestClient) => {
    for (let round = 0; round < 8; round++) {
      const favourite = random.pick(nodes);
      const chosen = new Set(Array.from({ length: 1 + random.below(12) }, () => random.pick(names)));
      const binds = [...chosen].map((name) => bind(name, random.chance(0.6) ? favourite : random.pick(nodes)));
      const writes = [...binds, ...(random.chance(0.3) ? [remove(random.pick(names))] : [])];
      // One that is alone and wrong would be an error of the call.
      const { results } = await client.transact({ writes, atomic: writes.length > 1 && random.chance(0.2) });
      for (const { result } of results.slice(0, binds.length)) {
        if (result?.$case === 'resource') bound++;
        const { message = '' } = result?.$case === 'error' ? result.value : {};
        if (message.includes('does not fit')) refused++;
      }
    }
  };
  await Promise.all(Array.from({ length: 12 }, (_, i) => scheduler(clients[i % clients.length] ?? first)));
  const last = await first.create(pod('last', random));
  await waitFor(() => witness.revision >= last.revision);
  stop.abort();
  await watching;
  return { faults: witness.faults, bound, refused };
}

function pod(name: string, random: Random) {
  const requests = {
    cpu: random.pick(['100m', '400m', '1']),
    ...random.pick([{}, {}, { 'example.com/gpu': '1' }]),
  };
  const ports = random.chance(0.2) ? [{ containerPort: 80, hostPort: random.pick([80, 81]) }] : [];
  const container = { name: 'c', image: 'x', ports, resources: { requests, limits: requests } };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace }, spec: { containers: [container] } };
}

function bind(name: string, nodeName: string): Write {
  return { write: { $case: 'bind', value: Binding.fromJSON({ namespace, name, nodeName }) } };
}

function remove(name: string): Write {
  const value = DeleteRequest.fromJSON({ resource: 'pods', namespace, name, gracePeriodSeconds: 0 });
  return { write: { $case: 'delete', value } };
}

/** Adds up what is on each node by itself, from what is seen. */
class Witness {
  readonly faults: string[] = [];
  revision = 0n;
  readonly #pods = new Map<string, { readonly nodeName: string; readonly uid: string; readonly demand: Demand }>();

  async watch(client: TestClient, signal: AbortSignal): Promise<void> {
    const targets = [{ resource: 'pods', namespace }];
    for await (const { events, revision, initial } of client.watch({ targets }, signal)) {
      for (const { type, resource } of events) if (resource !== undefined) this.#see(type, resource);
      if (initial) continue;
      for (const nodeName of nodes) this.#judge(nodeName, revision);
      this.revision = revision;
    }
  }

  #see(type: WatchEvent_Type, seen: Resource): void {
    const { metadata, spec, status } = valueOf<Pod>(seen);
    const { name = '', uid = '' } = metadata ?? {};
    const before = this.#pods.get(name);
    const nodeName = spec?.nodeName ?? '';
    if (before?.uid === uid && before.nodeName !== '' && before.nodeName !== nodeName) {
      this.faults.push(`${name} was on ${before.nodeName} and is on ${nodeName}`);
    }
    if (type === WatchEvent_Type.DELETED || !takesRoom({ status })) this.#pods.delete(name);
    else this.#pods.set(name, { nodeName, uid, demand: podDemand({ spec }) });
  }

  #judge(nodeName: string, revision: bigint): void {
    let taken: Resources = {};
    const ports = new Set<string>();
    for (const [name, { nodeName: at, demand }] of this.#pods) {
      if (at !== nodeName) continue;
      const short = shortages(demand.requests, taken, total);
      const twice = demand.hostPorts.filter((port) => ports.has(port));
      if (short.length + twice.length > 0) {
        this.faults.push(`at ${revision} ${nodeName} has too little ${[...short, ...twice].join()} for ${name}`);
      }
      taken = plus(taken, demand.requests);
      for (const port of demand.hostPorts) ports.add(port);
    }
  }
}
