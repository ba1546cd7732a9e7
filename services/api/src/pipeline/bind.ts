import { pod as podKind } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';
import { type Binding, Condition, type Pod, PodStatus } from '@navarch/proto';
import { describe } from '../read/resource-name.ts';
import { copyOf, current } from './current.ts';
import { roomKey } from './rooms.ts';
import { prepareChange } from './update.ts';
import type { Write } from './write.ts';

/** Puts a Pod on a node. */
export function bindWrite(binding: Binding | undefined): Write {
  if (binding === undefined) throw new ApiError('BadRequest', 'binding must be set');
  const { namespace, name, uid, nodeName } = binding;
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
      return prepareChange(circumstances, cached, copy);
    },
  };
}

function scheduled(status: PodStatus | undefined, now: string): PodStatus {
  const others = (status?.conditions ?? []).filter(({ type }) => type !== 'PodScheduled');
  const condition = Condition.fromJSON({ type: 'PodScheduled', status: 'True', lastTransitionTime: now });
  return { ...(status ?? PodStatus.fromJSON({})), conditions: [...others, condition] };
}
