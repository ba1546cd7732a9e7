import type { ClientWrite } from '@navarch/client';
import { isSameTaint, node as nodeKind, nodeTaints, taintText } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { type Node, Taint } from '@navarch/proto';
import { conditionOf } from '../conditions.ts';
import { nothingToDo, type Plan } from '../plan.ts';
import { timestamp } from '../time.ts';

/** Which taint each state of a condition means. */
const byCondition: readonly { readonly type: string; readonly status: string; readonly key: string }[] = [
  { type: 'Ready', status: 'False', key: nodeTaints.notReady },
  { type: 'Ready', status: 'Unknown', key: nodeTaints.unreachable },
  { type: 'MemoryPressure', status: 'True', key: nodeTaints.memoryPressure },
  { type: 'DiskPressure', status: 'True', key: nodeTaints.diskPressure },
  { type: 'PIDPressure', status: 'True', key: nodeTaints.pidPressure },
  { type: 'NetworkUnavailable', status: 'True', key: nodeTaints.networkUnavailable },
];

/**
 * New Pods keep off a node whose conditions, or whose user, say so: its NoSchedule taints follow at once. All other taints
 * are left alone. Source: https://kubernetes.io/docs/concepts/architecture/nodes/#node-conditions
 */
export function taintByCondition(node: Live<Node>): Plan {
  if (node.metadata.deletionTimestamp !== '') return nothingToDo;
  const { conditions } = node.status;
  const wanted = byCondition
    .filter(({ type, status }) => conditionOf(conditions, type)?.status === status)
    .map(({ key }) => key);
  if (node.spec.unschedulable) wanted.push(nodeTaints.unschedulable);
  const own = new Set<string>([...byCondition.map(({ key }) => key), nodeTaints.unschedulable]);
  const present = node.spec.taints.filter(({ key, effect }) => effect === 'NoSchedule' && own.has(key));
  const add = wanted.filter((key) => !present.some((taint) => taint.key === key));
  const remove = present.filter(({ key }) => !wanted.some((each) => each === key));
  if (add.length === 0 && remove.length === 0) return nothingToDo;
  const added = add.map((key) => Taint.fromPartial({ key, effect: 'NoSchedule' }));
  return { writes: [retaint(node, remove, added)], events: [] };
}

/** The two taints that end Pods which don't tolerate them, and of which a node has one while it fails. */
const failing: readonly string[] = [nodeTaints.notReady, nodeTaints.unreachable];

/** What a node's failing means for the Pods that are on it. */
export type Failing = 'not-ready' | 'unreachable' | 'well' | 'unclear';

/** The NoExecute taints of a node that fails, or failed. */
export function failingTaints({ spec }: Live<Node>): readonly Taint[] {
  return spec.taints.filter(({ key, effect }) => effect === 'NoExecute' && failing.includes(key));
}

/**
 * Brings the NoExecute taint of a node in line with what is known of it. A first one is added only when `mayAdd`; one that is
 * there follows the node's state, and goes when the node is well, or when everything `stopped`: then the time for which Pods
 * tolerate it begins anew. While it is unclear how the node is, what is there stays.
 */
export function taintFailing(
  node: Live<Node>,
  { state, stopped, mayAdd }: { state: Failing; stopped: boolean; mayAdd: boolean },
  now: number,
): Plan {
  const present = failingTaints(node);
  if (node.metadata.deletionTimestamp !== '') return nothingToDo;
  if (stopped || state === 'well') {
    return present.length === 0 ? nothingToDo : { writes: [retaint(node, present, [])], events: [] };
  }
  if (state === 'unclear' || (present.length === 0 && !mayAdd)) return nothingToDo;
  const key = state === 'unreachable' ? nodeTaints.unreachable : nodeTaints.notReady;
  const remove = present.filter((taint) => taint.key !== key);
  const has = remove.length < present.length;
  if (has && remove.length === 0) return nothingToDo;
  const taint = Taint.fromPartial({ key, effect: 'NoExecute', timeAdded: timestamp(now) });
  const write = retaint(node, remove, has ? [] : [taint]);
  if (has) return { writes: [write], events: [] };
  const message = `Node ${node.metadata.name} got the taint ${taintText(taint)}: its Pods are moved unless they tolerate it`;
  return {
    writes: [write],
    events: [{ kind: nodeKind, object: node, type: 'Warning', reason: 'NodeTainted', message, after: write }],
  };
}

function retaint(node: Live<Node>, remove: readonly Taint[], add: readonly Taint[]): ClientWrite {
  const kept = node.spec.taints.filter((taint) => !remove.some((each) => isSameTaint(each, taint)));
  const object: Node = { ...node, spec: { ...node.spec, taints: [...kept, ...add] } };
  return { type: 'update', kind: nodeKind, object };
}
