import { allocatable, podRequests, type Resources, plus, shortages, takesRoom } from '@navarch/kinds';
import { labelSelectorPredicate } from '@navarch/machinery';
import { type Node, type Pod, Resource } from '@navarch/proto';
import type { Store, StoreEvent } from '@navarch/store';

type Labels = Readonly<Record<string, string>>;

/**
 * Looks at every revision of the store for placements that must never be: a Pod on a second node, a node with more than it has
 * to give, a Pod that comes where required anti-affinity forbids it. Counts everything anew each time.
 */
export class PlacementWitness {
  readonly wrongs: string[] = [];
  bound = 0;
  readonly #pods = new Map<string, Pod>();
  readonly #nodes = new Map<string, Node>();
  /** Labels of nodes outlive them, for the Pods that are left on them. */
  readonly #labels = new Map<string, Labels>();
  readonly #life = new AbortController();
  readonly #reading: Promise<void>;

  constructor(store: Store) {
    this.#reading = this.#read(store);
  }

  async stop(): Promise<void> {
    this.#life.abort();
    await this.#reading;
  }

  /** Pods without a node which one could have as things are, without anybody's leaving. */
  forgotten(): readonly string[] {
    const waiting = [...this.#pods.values()].filter(({ spec, metadata }) => {
      return spec?.nodeName === '' && metadata?.deletionTimestamp === '';
    });
    return waiting.flatMap((pod) => {
      const home = [...this.#nodes.keys()].find((name) => this.#obstacle(pod, name) === undefined);
      return home === undefined ? [] : [`${pod.metadata?.name} could be on ${home}`];
    });
  }

  async #read(store: Store): Promise<void> {
    for await (const { revision, events } of store.watch('/navarch/', { after: 0n, signal: this.#life.signal })) {
      const came = events.flatMap((event) => this.#see(event, revision));
      // Those that came together are judged one after the other, each with all the others there.
      for (const pod of came) {
        const why = this.#obstacle(pod, pod.spec?.nodeName ?? '');
        if (why !== undefined) this.wrongs.push(`${revision}: ${pod.metadata?.name} came where it must not: ${why}`);
      }
    }
  }

  /** The Pod that has come to a node with this event. */
  #see(event: StoreEvent, revision: bigint): readonly Pod[] {
    const key = event.type === 'put' ? event.entry.key : event.key;
    if (event.type === 'delete') {
      this.#pods.delete(key);
      this.#nodes.delete(key.slice(key.lastIndexOf('/') + 1));
      return [];
    }
    // The first byte of a value says how it is kept: here always plain.
    const { object } = Resource.decode(event.entry.value.subarray(1));
    if (object?.$case === 'node') {
      const { name = '', labels = {} } = object.value.metadata ?? {};
      this.#nodes.set(name, object.value);
      this.#labels.set(name, labels);
    }
    if (object?.$case !== 'pod') return [];
    const pod = object.value;
    const before = this.#pods.get(key);
    this.#pods.set(key, pod);
    const [was, is] = [before?.spec?.nodeName ?? '', pod.spec?.nodeName ?? ''];
    if (was === is) return [];
    if (was !== '' && before?.metadata?.uid === pod.metadata?.uid) {
      this.wrongs.push(`${revision}: ${pod.metadata?.name} was on ${was} and is on ${is}`);
    }
    this.bound++;
    return [pod];
  }

  /** What keeps the Pod from that node, but for itself. */
  #obstacle(pod: Pod, nodeName: string): string | undefined {
    const node = this.#nodes.get(nodeName);
    if (node === undefined) return undefined; // it went a moment ago; its Pods go with it
    const others = [...this.#pods.values()].filter((each) => each.metadata?.uid !== pod.metadata?.uid);
    const placed = others.filter((each) => each.spec?.nodeName !== '' && takesRoom(each));
    const guests = placed.filter((each) => each.spec?.nodeName === nodeName);
    const taken = guests.map((each) => podRequests(each)).reduce<Resources>(plus, {});
    const short = shortages(podRequests(pod), taken, allocatable(node));
    if (short.length > 0) return `${nodeName} has too little ${short.join()}`;
    const enemy = placed.find((each) => this.#excludes(pod, each, nodeName) || this.#excludes(each, pod, nodeName));
    return enemy && `${enemy.metadata?.name} on ${enemy.spec?.nodeName} and it exclude each other`;
  }

  /** Whether the rules of `one` forbid the other near it, one of them being on the node and the other where it is. */
  #excludes(one: Pod, other: Pod, nodeName: string): boolean {
    const places = [one, other].map(({ spec }) => spec?.nodeName || nodeName);
    const terms = one.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    return terms.some(({ topologyKey, labelSelector }) => {
      const [here, there] = places.map((name) => this.#labels.get(name)?.[topologyKey]);
      const isSame = here !== undefined && here === there;
      return isSame && labelSelectorPredicate(labelSelector)(other.metadata?.labels ?? {});
    });
  }
}
