import type { Change, InformerSet, Lister } from '@navarch/client';
import { type KindDefinition, node as nodeKind, pod as podKind } from '@navarch/kinds';
import type { KubeObject } from '@navarch/machinery';
import type { Node, Pod } from '@navarch/proto';

const byNode = 'node';

type Handler<T extends KubeObject> = (change: Change<T>) => void;

/**
 * The caches of many simulated nodes: filled once, and each node sees its own Pods and its own Node. For the nodes they are
 * what informers of their own would be; a thousand of those would hold a thousand copies of every Node.
 */
export class SharedInformers {
  readonly #set: InformerSet;
  readonly #podHandlers = new Map<string, Handler<Pod>[]>();
  readonly #nodeHandlers = new Map<string, Handler<Node>[]>();

  /** `set` has all Pods and Nodes, and is not running yet. Whoever made it runs it. */
  constructor(set: InformerSet) {
    this.#set = set;
    set.lister(podKind).addIndex(byNode, ({ spec }) => [spec.nodeName]);
    set.onChange(podKind, (change) => {
      for (const handle of this.#podHandlers.get(change.object.spec.nodeName) ?? []) handle(change);
    });
    set.onChange(nodeKind, (change) => {
      for (const handle of this.#nodeHandlers.get(change.object.metadata.name) ?? []) handle(change);
    });
  }

  /** What one node sees. Running it only waits: the caches live longer than a node. */
  of(nodeName: string): InformerSet {
    const set = this.#set;
    const pods = onNode(set.lister(podKind), nodeName);
    const nodes = set.lister(nodeKind);
    const add = <T extends KubeObject>(handlers: Map<string, Handler<T>[]>, handler: Handler<T>) => {
      handlers.set(nodeName, [...(handlers.get(nodeName) ?? []), handler]);
    };
    return {
      lister: <T extends KubeObject>(kind: KindDefinition<T>) =>
        (isKind(kind, podKind) ? pods : nodes) as unknown as Lister<T>, // of the kind that was asked for
      onChange: <T extends KubeObject>(kind: KindDefinition<T>, handler: Handler<T>) => {
        if (isKind(kind, podKind))
          add(this.#podHandlers, handler as unknown as Handler<Pod>); // as above
        else add(this.#nodeHandlers, handler as unknown as Handler<Node>);
      },
      get revision() {
        return set.revision;
      },
      get source() {
        return set.source;
      },
      synced: (signal) => set.synced(signal),
      reached: (revision, signal) => set.reached(revision, signal),
      run: (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
    };
  }
}

function onNode(pods: Lister<Pod>, nodeName: string): Lister<Pod> {
  return {
    get: (key) => {
      const pod = pods.get(key);
      return pod?.spec.nodeName === nodeName ? pod : undefined;
    },
    list: (namespace) =>
      pods
        .byIndex(byNode, nodeName)
        .filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace),
    byIndex: (index, value) => pods.byIndex(index, value).filter(({ spec }) => spec.nodeName === nodeName),
    addIndex: (index, keys) => pods.addIndex(index, keys),
  };
}

/** A kind whose message type is open is compared by what names it. */
function isKind(kind: { readonly case: string }, other: { readonly case: string }): boolean {
  return kind.case === other.case;
}
