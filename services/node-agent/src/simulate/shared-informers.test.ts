import type { Change, InformerSet, Lister } from '@navarch/client';
import { node as nodeKind, pod as podKind } from '@navarch/kinds';
import { type KubeObject, keyString, type Live } from '@navarch/machinery';
import { Node, Pod } from '@navarch/proto';
import { expect, test } from 'vitest';
import { SharedInformers } from './shared-informers.ts';

/** Caches that hold what they are told, at once. */
class Told implements InformerSet {
  revision = 0n;
  readonly source = 'watch';
  readonly #objects = new Map<string, Live<KubeObject>[]>();
  readonly #handlers = new Map<string, (change: Change<KubeObject>) => void>();
  #index: (pod: Live<KubeObject>) => readonly string[] = () => [];

  lister<T extends KubeObject>({ case: kind }: { case: string }): Lister<T> {
    const all = () => this.#objects.get(kind) ?? [];
    const lister: Lister<KubeObject> = {
      get: (key) => all().find((object) => keyString(object.metadata ?? { name: '', namespace: '' }) === keyOf(key)),
      list: () => all(),
      byIndex: (_, value) => all().filter((object) => this.#index(object).includes(value)),
      addIndex: (_, keys) => (this.#index = keys),
    };
    return lister as unknown as Lister<T>; // of the kind that was asked for
  }

  onChange<T extends KubeObject>({ case: kind }: { case: string }, handler: (change: Change<T>) => void): void {
    this.#handlers.set(kind, handler as unknown as (change: Change<KubeObject>) => void); // as above
  }

  tell(kind: string, object: Live<KubeObject>): void {
    this.#objects.set(kind, [...(this.#objects.get(kind) ?? []), object]);
    this.#handlers.get(kind)?.({ type: 'added', object });
  }

  async synced(): Promise<void> {}
  async reached(): Promise<void> {}
  async run(): Promise<void> {}
}

const keyOf = (key: string | { namespace?: string; name: string }) =>
  typeof key === 'string' ? key : keyString({ namespace: '', ...key });
// Metadata, spec and status are given.
const podOn = (name: string, nodeName: string) =>
  Pod.fromPartial({ metadata: { name, namespace: 'default' }, spec: { nodeName }, status: {} }) as Live<Pod>;
const nodeNamed = (name: string) => Node.fromPartial({ metadata: { name }, spec: {}, status: {} }) as Live<Node>;

test('each node sees and hears of its own Pods and Node alone', () => {
  const told = new Told();
  const shared = new SharedInformers(told);
  const heard: string[] = [];
  for (const name of ['n1', 'n2']) {
    const view = shared.of(name);
    view.onChange(podKind, ({ object }) => heard.push(`${name}: pod ${object.metadata.name}`));
    view.onChange(nodeKind, ({ object }) => heard.push(`${name}: node ${object.metadata.name}`));
  }
  told.tell('pod', podOn('a', 'n1'));
  told.tell('pod', podOn('b', 'n2'));
  told.tell('pod', podOn('pending', ''));
  told.tell('node', nodeNamed('n2'));
  expect(heard).toEqual(['n1: pod a', 'n2: pod b', 'n2: node n2']);
  const pods = shared.of('n1').lister(podKind);
  expect(pods.list().map(({ metadata }) => metadata.name)).toEqual(['a']);
  expect(pods.list('elsewhere')).toEqual([]);
  expect(pods.get({ namespace: 'default', name: 'a' })?.spec.nodeName).toBe('n1');
  expect(pods.get({ namespace: 'default', name: 'b' })).toBeUndefined();
  expect(shared.of('n1').lister(nodeKind).get({ namespace: '', name: 'n2' })?.metadata.name).toBe('n2');
});

test('running a node’s view lasts until it is told to stop', async () => {
  const view = new SharedInformers(new Told()).of('n1');
  const stop = new AbortController();
  let over = false;
  const running = view.run(stop.signal).then(() => (over = true));
  await Promise.resolve();
  expect(over).toBe(false);
  stop.abort();
  await running;
});
