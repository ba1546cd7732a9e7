import type { Controller, RunnerInformers, Source } from '@navarch/controller';
import { builtinKinds, customResourceDefinition as definitionKind, type KindDefinition } from '@navarch/kinds';
import { type KubeObject, keyOf } from '@navarch/machinery';
import type { CustomResourceDefinition } from '@navarch/proto';
import { carryOut, type Hands } from '../carry-out.ts';
import { metadataOf } from '../ownership.ts';
import { type DefinitionObserved, reconcileDefinition } from './reconcile.ts';

/** Takes a definition's objects away before the definition goes. `kinds` are the custom kinds that have informers. */
export function definitionController(
  informers: RunnerInformers,
  kinds: readonly KindDefinition[],
  hands: Hands,
): Controller {
  const definitions = informers.lister(definitionKind);
  const kindOf = (name: string) => kinds.find(({ custom }) => custom?.definition === name);
  const own: Source<CustomResourceDefinition> = {
    kind: definitionKind,
    // A name that one definition gives up, another of its group may get.
    keys: ({ spec }) =>
      definitions
        .list()
        .filter((other) => other.spec.group === spec?.group)
        .map(keyOf),
  };
  const objects = kinds.map((kind): Source => {
    const name = kind.custom?.definition ?? '';
    const keys = () => (definitions.get(name)?.metadata.deletionTimestamp === '' ? [] : [name]);
    return { kind, keys };
  });
  const othersOf = ({ metadata, spec }: CustomResourceDefinition) =>
    [...builtinKinds.all, ...kinds.filter(({ custom }) => custom?.definition !== metadata?.name)].filter(
      ({ group }) => group === spec?.group,
    );
  const contentOf = (name: string): DefinitionObserved['content'] => {
    const kind = kindOf(name);
    if (kind === undefined) return undefined;
    const found = informers.lister<KubeObject>(kind).list();
    return { kind, objects: found.map((object) => ({ ...object, metadata: metadataOf(object) })) };
  };

  return {
    name: 'custom-kinds',
    sources: [own, ...objects],
    reconcile: async (key, context) => {
      const definition = definitions.get(key);
      if (definition === undefined) return {};
      const observed = { definition, others: othersOf(definition), content: contentOf(key) };
      let plan = reconcileDefinition(observed, context.now);
      if (plan === 'ask' && observed.content !== undefined) {
        const { items } = await hands.client.list(observed.content.kind, { namespace: '', signal: context.signal });
        plan = reconcileDefinition({ ...observed, provenEmpty: items.length === 0 }, context.now);
      }
      if (plan === 'ask') return {};
      return await carryOut(hands, plan, context);
    },
  };
}
