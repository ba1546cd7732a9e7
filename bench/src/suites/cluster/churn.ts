import { createWrite, deleteWrite } from '@navarch/client';
import { node as nodeKind, pod as podKind, service as serviceKind } from '@navarch/kinds';
import { Service } from '@navarch/proto';
import { setTimeout as sleep } from 'node:timers/promises';
import { passingNode, passingPod } from '../scheduler/workloads.ts';
import type { ControlPlane } from './control-plane.ts';
import { readyNode } from './nodes.ts';

/** kube-scheduler's own test does so once a second. */
const roundMs = 100;

/** A node, a Service and an important Pod that no node can have come, and go after a while, again and again until `signal`. */
export async function churn(plane: ControlPlane, signal: AbortSignal): Promise<void> {
  for (let round = 0; !signal.aborted; round++) {
    const [node, pod, service] = [passingNode(round), passingPod(round), serviceOf(round)];
    await readyNode(plane, node);
    await done(plane, [createWrite(podKind, pod), createWrite(serviceKind, service)]);
    await sleep(roundMs);
    // Pods that found a place on the node stay where they are: nobody is there to miss them.
    const key = { namespace: 'default', name: pod.metadata.name };
    await done(plane, [
      deleteWrite(nodeKind, { name: node.metadata.name }),
      deleteWrite(podKind, key, { gracePeriodSeconds: 0 }),
      deleteWrite(serviceKind, key),
    ]);
  }
}

async function done(
  { client }: ControlPlane,
  writes: Parameters<ControlPlane['client']['transact']>[0],
): Promise<void> {
  for (const outcome of await client.transact(writes)) {
    if (!outcome.ok) throw new Error(`a write was refused: ${outcome.error.message}`);
  }
}

function serviceOf(round: number): Service {
  return Service.fromJSON({
    metadata: { name: `passing-${round}`, namespace: 'default' },
    spec: { selector: { app: 'passing' }, ports: [{ port: 80, protocol: 'TCP' }] },
  });
}
