import type { Lister } from '@navarch/client';
import type { Controller, RunnerInformers, Source } from '@navarch/controller';
import { type KindDefinition, namespace as namespaceKind } from '@navarch/kinds';
import { type KubeObject, keyOf, toApiError } from '@navarch/machinery';
import type { Namespace } from '@navarch/proto';
import { attempt, carryOut, type Hands, type Outcome, refusal } from '../carry-out.ts';
import { metadataOf } from '../ownership.ts';
import { emptying, finalizing, isToBeEmptied, type NamespaceObserved } from './reconcile.ts';
import { statusWrites } from './status.ts';

/**
 * Empties namespaces that are being deleted: every kind that lives in one. `areAll` asks the api whether `kinds` are all that
 * there are: one that has just been made may have objects there.
 */
export function namespaceController(
  informers: RunnerInformers,
  kinds: readonly KindDefinition[],
  hands: Hands,
  areAll: (signal: AbortSignal) => Promise<boolean> = async () => true,
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
  /** What the caches don't show the api may know: how many kinds have something left, and which could not be asked about. */
  const askApi = async (name: string, signal: AbortSignal) => {
    const undiscovered: string[] = [];
    const left = await Promise.all(
      namespaced.map(async ({ kind }) => {
        try {
          return (await hands.client.list(kind, { namespace: name, signal })).items.length;
        } catch (error) {
          // An api that can't answer anything is no matter of the kind.
          const { reason, message } = toApiError(error);
          if (signal.aborted || reason === 'Unavailable' || reason === 'Timeout') throw error;
          undiscovered.push(`${kind.resource}: ${message}`);
          return 0;
        }
      }),
    );
    const nothing = left.every((count) => count === 0) && undiscovered.length === 0;
    return { undiscovered, empty: nothing && (await areAll(signal)) };
  };

  return {
    name: 'namespace',
    sources: [own, ...content],
    reconcile: async (key, context) => {
      const namespace = namespaces.get(key);
      if (namespace === undefined || !isToBeEmptied(namespace)) return {};
      const observed = { namespace, content: contentOf(key) };
      const { wroteRevision, failures } = await attempt(hands, { writes: emptying(observed), events: [] }, context);
      const asked = observed.content.length === 0 ? await askApi(key, context.signal) : undefined;
      const faults = { undiscovered: asked?.undiscovered ?? [], refused: failures.map(refusedText) };
      // One that goes now need not say that nothing is left.
      const goesNow = asked?.empty === true && namespace.spec.finalizers.length === 1;
      const told = goesNow ? [] : statusWrites(observed, faults, context.now);
      const writes = told.length === 0 && asked?.empty === true ? [finalizing(namespace)] : told;
      const result = await carryOut(hands, { writes, events: [] }, context);
      const [first] = failures;
      if (first !== undefined) throw refusal(first.error);
      const revision = result.wroteRevision ?? wroteRevision;
      return {
        ...(revision > 0n && { wroteRevision: revision }),
        ...(asked?.empty === false && { againAfterMs: 1_000 }),
      };
    },
  };
}

function refusedText({ write, error }: Outcome['failures'][number]): string {
  const name = write.type === 'delete' ? `${write.kind.resource} "${write.key.name}": ` : '';
  return `${name}${error.message}`;
}
