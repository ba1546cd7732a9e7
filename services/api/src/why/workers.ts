import { lease as leaseKind, node as nodeKind } from '@navarch/kinds';
import { age } from '@navarch/machinery';
import type { Lease, Node } from '@navarch/proto';
import type { Snapshot } from './snapshot.ts';

/** Somebody who has a part in ending objects, and how that one is, as far as can be seen. */
export interface Worker {
  readonly worker: string;
  readonly workerState: string;
  readonly workerIsWell: boolean;
}

/** A part of the controller-manager: it works as long as somebody leads. */
export function controllerWorker(worker: string, snapshot: Snapshot, nowMs: number): Worker {
  const held = snapshot.get(leaseKind, 'navarch-system', 'controller-manager');
  const { spec } = (held?.object ?? {}) as Partial<Lease>; // the cache decodes a kind's objects with its message
  if (spec === undefined || spec.holderIdentity === '') {
    return { worker, workerState: 'no controller-manager leads; is one running?', workerIsWell: false };
  }
  const endedMs = nowMs - Date.parse(spec.renewTime) - spec.leaseDurationSeconds * 1000;
  const renewed = `renewed its lease ${age(spec.renewTime, nowMs)} ago`;
  if (endedMs > 0) {
    return {
      worker,
      workerState: `its controller-manager ${spec.holderIdentity} ${renewed}, which is too long; is it running?`,
      workerIsWell: false,
    };
  }
  return { worker, workerState: `leads as ${spec.holderIdentity}, which ${renewed}`, workerIsWell: true };
}

/** The agent of a node: it works as long as the node is Ready. */
export function agentWorker(nodeName: string, snapshot: Snapshot, nowMs: number): Worker {
  const worker = `the agent of node ${nodeName}`;
  const found = snapshot.get(nodeKind, '', nodeName);
  if (found === undefined) {
    return { worker, workerState: 'there is no such node any more', workerIsWell: false };
  }
  const { status } = found.object as Node; // the cache decodes a kind's objects with its message
  const ready = status?.conditions.find(({ type }) => type === 'Ready');
  if (ready === undefined) return { worker, workerState: 'the node has never been Ready', workerIsWell: false };
  const since = `for ${age(ready.lastTransitionTime, nowMs)}`;
  if (ready.status === 'True') return { worker, workerState: `the node has been Ready ${since}`, workerIsWell: true };
  const why = [ready.reason, ready.message].filter((text) => text !== '').join(': ');
  return { worker, workerState: `the node has not been Ready ${since} (${why})`, workerIsWell: false };
}
