import type { Controller, Source } from '@navarch/controller';
import { controllerOf, pod as podKind, podDisruptionBudget as budgetKind } from '@navarch/kinds';
import { keyOf, labelSelectorPredicate, type Live } from '@navarch/machinery';
import type { OwnerReference, Pod, PodDisruptionBudget } from '@navarch/proto';
import type { Caches } from '../caches.ts';
import { carryOut, type Hands } from '../carry-out.ts';
import { isOver } from '../pod-state.ts';
import type { OwnerScales } from './owner-scales.ts';
import { reconcileBudget } from './reconcile.ts';

/** Keeps what each budget allows up to date with the Pods that it chooses. The api refuses evictions by that. */
export function disruptionController(
  { pods, podDisruptionBudgets }: Caches,
  hands: Hands,
  scales: Pick<OwnerScales, 'of'>,
): Controller {
  const own: Source<PodDisruptionBudget> = { kind: budgetKind, keys: (object) => [keyOf(object)] };
  const chosen: Source<Pod> = {
    kind: podKind,
    keys: ({ metadata }) =>
      podDisruptionBudgets
        .list(metadata?.namespace ?? '')
        .filter(({ spec }) => labelSelectorPredicate(spec.selector)(metadata?.labels))
        .map(keyOf),
  };
  return {
    name: 'disruption',
    sources: [own, chosen],
    reconcile: async (key, context) => {
      const budget = podDisruptionBudgets.get(key);
      if (budget === undefined) return {};
      const selects = labelSelectorPredicate(budget.spec.selector);
      const counted = pods
        .list(budget.metadata.namespace)
        .filter(({ metadata, status }) => selects(metadata.labels) && !isOver(status.phase));
      const known = await scalesOf(counted, scales, context.signal);
      const scaleOf = ({ uid }: OwnerReference) => known.get(uid);
      return carryOut(hands, reconcileBudget({ budget, pods: counted, scaleOf }, context.now), context);
    },
  };
}

async function scalesOf(pods: readonly Live<Pod>[], scales: Pick<OwnerScales, 'of'>, signal: AbortSignal) {
  const known = new Map<string, number | undefined>();
  for (const { metadata } of pods) {
    const owner = controllerOf({ metadata });
    if (owner === undefined || known.has(owner.uid)) continue;
    known.set(owner.uid, await scales.of(owner, metadata.namespace, signal));
  }
  return known;
}
