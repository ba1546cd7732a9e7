import { pod as podKind } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';
import { Condition, DeleteRequest_Propagation, type Eviction, type Pod, PodStatus } from '@navarch/proto';
import { copyOf, current } from './current.ts';
import { checkDeletion, prepareDelete } from './delete.ts';
import { spendDisruption } from './disruption-budget.ts';
import type { Write } from './write.ts';

/**
 * Asks a Pod to go so that its node can be emptied: a deletion that leaves the reason in the Pod's status, and that the Pod's
 * disruption budget has to allow. Source:
 * https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction
 */
export function evictWrite(eviction: Eviction | undefined): Write {
  if (eviction === undefined) throw new ApiError('BadRequest', 'eviction must be set');
  const { namespace, name, uid, revision, gracePeriodSeconds } = eviction;
  if (namespace === '' || name === '') {
    throw new ApiError('BadRequest', 'an eviction must name the namespace and the pod');
  }
  const options = { gracePeriodSeconds, propagation: DeleteRequest_Propagation.UNSPECIFIED };
  checkDeletion(options);
  return {
    kind: podKind,
    namespace,
    name,
    decidedOnOthers: true,
    prepare: (circumstances) => {
      const cached = current(circumstances.view, podKind, { namespace, name, uid, revision });
      const copy = copyOf(cached) as Pod & ReturnType<typeof copyOf>; // the cache decodes a kind's objects with its message
      // One that is going already takes nothing more from its budget.
      if (copy.metadata.deletionTimestamp !== '') return prepareDelete(circumstances, cached, copy, options);
      const spent = spendDisruption(circumstances, cached, copy);
      copy.status = disrupted(copy.status, circumstances.now);
      const { others = [], ...deletion } = prepareDelete(circumstances, cached, copy, options);
      return { ...deletion, others: spent === undefined ? others : [...others, spent] };
    },
  };
}

function disrupted(status: PodStatus | undefined, now: string): PodStatus {
  const others = (status?.conditions ?? []).filter(({ type }) => type !== 'DisruptionTarget');
  const condition = Condition.fromJSON({
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    message: 'The Pod was asked to go so that its node can be emptied',
    lastTransitionTime: now,
  });
  return { ...(status ?? PodStatus.fromJSON({})), conditions: [...others, condition] };
}
