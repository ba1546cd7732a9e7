import type { ClientWrite } from '@navarch/client';
import { daemonSet as daemonSetKind, pod as podKind } from '@navarch/kinds';
import { keyOf, type Live } from '@navarch/machinery';
import type { DaemonSet, Pod } from '@navarch/proto';
import { shortHash } from '../child-name.ts';
import type { PlannedEvent } from '../plan.ts';
import { daemonPod } from './placement.ts';
import type { View } from './view.ts';

/** What a step makes and removes. */
export interface Steps {
  /** Names of the nodes that get a Pod. */
  readonly make: readonly string[];
  readonly remove: readonly Live<Pod>[];
}

/** Room for `-` and a suffix within the longest name (253 characters, RFC 1123). */
const longestPrefix = 240;

/** The writes, at most `most` of each sort, and what is told of them. */
export function stepWrites(
  view: View,
  { make, remove }: Steps,
  taken: { has(name: string): boolean },
  most: number,
): { readonly writes: readonly ClientWrite[]; readonly events: readonly PlannedEvent[] } {
  const { set, hash } = view;
  const removals = [...new Set(remove)].slice(0, most).map((pod): ClientWrite => {
    const { namespace, name, uid } = pod.metadata;
    return { type: 'delete', kind: podKind, key: { namespace, name }, options: { uid } };
  });
  const names = new Set<string>();
  const creations = make.slice(0, most).map((node): ClientWrite => {
    const pod = podName(set, node, { has: (name) => names.has(name) || taken.has(name) });
    names.add(pod);
    return { type: 'create', kind: podKind, object: daemonPod(set, { pod, node, hash }) };
  });
  const events = [
    ...removals.map((write) => told(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${nameIn(write)}`, write)),
    ...creations.map((write) => told(set, 'Normal', 'SuccessfulCreate', `Created pod: ${nameIn(write)}`, write)),
  ];
  return { writes: [...removals, ...creations], events };
}

/** What is told of a Pod that has ended, which a daemon never should. */
export function endedEvent({ set }: View, pod: Live<Pod>): PlannedEvent {
  const [reason, state] =
    pod.status.phase === 'Failed' ? ['FailedDaemonPod', 'failed'] : ['SucceededDaemonPod', 'succeeded'];
  const message = `Found ${state} daemon pod ${keyOf(pod)} on node ${pod.spec.nodeName}, will try to delete it`;
  return told(set, state === 'failed' ? 'Warning' : 'Normal', reason, message);
}

/** The same for the same node and the same taken names: a decision made twice from a stale cache names the same Pod twice. */
function podName({ metadata }: Live<DaemonSet>, node: string, taken: { has(name: string): boolean }): string {
  for (let ordinal = 0; ; ordinal++) {
    const suffix = shortHash(`${metadata.uid} ${node} ${ordinal}`, 5);
    const name = `${metadata.name.slice(0, longestPrefix)}-${suffix}`;
    if (!taken.has(name)) return name;
  }
}

function told(
  object: Live<DaemonSet>,
  type: PlannedEvent['type'],
  reason: string,
  message: string,
  after?: ClientWrite,
): PlannedEvent {
  return { kind: daemonSetKind, object, type, reason, message, ...(after !== undefined && { after }) };
}

function nameIn(write: ClientWrite): string {
  return (write.type === 'create' ? write.object.metadata?.name : write.type === 'delete' ? write.key.name : '') ?? '';
}
