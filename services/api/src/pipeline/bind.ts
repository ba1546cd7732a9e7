import { lease as leaseKind, pod as podKind, podRulesLease } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';
import { type Binding, Condition, type Pod, PodStatus } from '@navarch/proto';
import type { Compare } from '@navarch/store';
import { describe } from '../read/resource-name.ts';
import type { CachedObject } from '../cache/cached-object.ts';
import { seal } from '../storage/envelope.ts';
import { storageKey } from '../storage/keys.ts';
import { room } from './admission/room.ts';
import { asItWas, copyOf, current } from './current.ts';
import { encodeBody, type WritableObject } from './object-rules.ts';
import { roomKey } from './rooms.ts';
import { prepareChange } from './update.ts';
import type { Circumstances, Prepared, View, Write } from './write.ts';

/** Puts a Pod on a node. */
export function bindWrite(binding: Binding | undefined): Write {
  if (binding === undefined) throw new ApiError('BadRequest', 'binding must be set');
  const { namespace, name, uid, nodeName, decidedAt } = binding;
  if (namespace === '' || name === '')
    throw new ApiError('BadRequest', 'a binding must name the namespace and the pod');
  if (nodeName === '') throw new ApiError('BadRequest', 'node_name must be set');
  return {
    kind: podKind,
    namespace,
    name,
    goesTogether: roomKey(nodeName),
    prepare: (circumstances) => {
      const cached = current(circumstances.view, podKind, { namespace, name, uid, revision: 0n });
      const copy = copyOf(cached);
      const { spec, metadata } = copy as Pod; // the cache decodes a kind's objects with its message
      if (spec === undefined) throw new ApiError('InternalError', `${describe(podKind, namespace, name)} has no spec`);
      if (metadata?.deletionTimestamp !== '') {
        throw new ApiError('Conflict', `${describe(podKind, namespace, name)} is being deleted`);
      }
      if (spec.nodeName !== '') {
        throw new ApiError('Conflict', `${describe(podKind, namespace, name)} is on node "${spec.nodeName}" already`);
      }
      spec.nodeName = nodeName;
      copy.status = scheduled((copy as Pod).status, circumstances.now);
      const rules = decidedAt === 0n ? [] : [knewTheRules(circumstances.view, decidedAt)];
      const prepared = bound(circumstances, cached, copy);
      return { ...prepared, compare: [...prepared.compare, ...rules] };
    },
  };
}

/**
 * What the binding comes to. Of the chain of admission only room has a say: the Pod was completed and judged when it was made, and
 * neither its node nor the condition can break another rule. Where somebody keeps account of who has which fields, it is any change.
 */
function bound(circumstances: Circumstances, cached: CachedObject, next: WritableObject): Prepared {
  if (next.metadata.managedFields.length > 0) return prepareChange(circumstances, cached, next);
  const { key } = cached;
  const admitted = room.admit?.({ circumstances, kind: podKind, next, previous: cached });
  next.metadata.generation++;
  const body = encodeBody(podKind, next);
  return {
    key,
    compare: [asItWas(cached), ...(admitted?.compare ?? [])],
    ops: [{ type: 'put', key, value: seal(body) }, ...(admitted?.ops ?? [])],
    ...(admitted?.taking && { taking: admitted.taking }),
    body,
    revision: 0n,
    gone: false,
  };
}

/** The condition that no rules between Pods were announced since the choice. Throws Conflict when some were. */
function knewTheRules(view: View, decidedAt: bigint): Compare {
  const { namespace, name } = podRulesLease;
  const announced = view.get(leaseKind, namespace, name)?.revision ?? 0n;
  if (announced > decidedAt) {
    throw new ApiError(
      'Conflict',
      `the node was chosen at revision ${decidedAt}, and new rules between Pods were announced at ${announced}: choose again`,
    );
  }
  return { key: storageKey(leaseKind, podRulesLease), notAfter: decidedAt };
}

function scheduled(status: PodStatus | undefined, now: string): PodStatus {
  const others = (status?.conditions ?? []).filter(({ type }) => type !== 'PodScheduled');
  const condition = Condition.fromJSON({ type: 'PodScheduled', status: 'True', lastTransitionTime: now });
  return { ...(status ?? PodStatus.fromJSON({})), conditions: [...others, condition] };
}
