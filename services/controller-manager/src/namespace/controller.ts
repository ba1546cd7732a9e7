import type { Lister } from '@navarch/client';
import type { Controller, RunnerInformers, Source } from '@navarch/controller';
import { type KindDefinition, namespace as namespaceKind } from '@navarch/kinds';
import { type KubeObject, keyOf } from '@navarch/machinery';
import type { Namespace } from '@navarch/proto';
import { carryOut, type Hands } from '../carry-out.ts';
import { metadataOf } from '../ownership.ts';
import { type NamespaceObserved, reconcileNamespace } from './reconcile.ts';

/** Empties namespaces that are being deleted: every kind that lives in one, whatever kinds there are. */
export function namespaceController(
  informers: RunnerInformers,
  kinds: readonly KindDefinition[],
  hands: Hands,
): Controller {
  const namespaces = informers.lister(namespaceKind);
  const namespaced = kinds
    .filter(({ scope }) => scope === 'Namespaced')
    .map((kind): { kind: KindDefinition; lister: Lister<KubeObject> } => ({ kind, lister: informers.lister(kind) }));
  const isGoing = (name: string) =>
    namespaces.get(name)?.metadata.deletionTimestamp !== '' && namespaces.get(name) !== undefined;

  const own: Source<Namespace> = {
    kind: namespaceKind,
    keys: (object) => (metadataOf(object).deletionTimestamp === '' ? [] : [keyOf(object)]),
  };
  const content = namespaced.map(({ kind }): Source => {
    const keys = (object: KubeObject) => [metadataOf(object).namespace].filter(isGoing);
    return { kind, keys };
  });
  const contentOf = (name: string): NamespaceObserved['content'] =>
    namespaced.flatMap(({ kind, lister }) => {
      const objects = lister.list(name).map((object) => ({ ...object, metadata: metadataOf(object) }));
      return objects.length === 0 ? [] : [{ kind, objects }];
    });
  const isEmpty = async (name: string, signal: AbortSignal) => {
    const lists = await Promise.all(namespaced.map(({ kind }) => hands.client.list(kind, { namespace: name, signal })));
    return lists.every(({ items }) => items.length === 0);
  };

  return {
    name: 'namespace',
    sources: [own, ...content],
    reconcile: async (key, context) => {
      const namespace = namespaces.get(key);
      if (namespace === undefined) return {};
      const observed = { namespace, content: contentOf(key) };
      let plan = reconcileNamespace(observed, context.now);
      if (plan === 'ask') {
        const provenEmpty = await isEmpty(key, context.signal);
        plan = reconcileNamespace({ ...observed, provenEmpty }, context.now);
      }
      if (plan === 'ask') return {};
      return await carryOut(hands, plan, context);
    },
  };
}
