import type { ClientWrite } from '@navarch/client';
import { claimNodeAnnotation, claimProblem, inUseFinalizer, persistentVolumeClaim } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { PersistentVolumeClaim, Pod } from '@navarch/proto';
import { nothingToDo, type Plan, type PlannedEvent } from '../plan.ts';

export interface ClaimObserved {
  readonly claim: Live<PersistentVolumeClaim>;
  readonly nodeExists: (name: string) => boolean;
  /** Those of its namespace. */
  readonly pods: readonly Live<Pod>[];
}

/** The node that has, or will have, the claim's data; '' while no Pod that uses it was placed. */
export function nodeOf({ metadata }: Pick<Live<PersistentVolumeClaim>, 'metadata'>): string {
  return metadata.annotations[claimNodeAnnotation] ?? '';
}

/**
 * Protects the claim while Pods use it, and says in its status what no agent can: that it waits, and that it is lost with
 * its node, until that is back. (The agent that has the data says that it is Bound.) A Pod that has ended still uses it: its
 * object is there. Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes (storage object in use protection).
 */
export function reconcileClaim(observed: ClaimObserved): Plan {
  const { claim } = observed;
  const { finalizers, deletionTimestamp } = claim.metadata;
  const isProtected = finalizers.includes(inUseFinalizer);
  if (deletionTimestamp !== '') {
    return isProtected && !isInUse(observed) ? withFinalizers(claim, without(finalizers)) : nothingToDo;
  }
  if (!isProtected) return withFinalizers(claim, [...finalizers, inUseFinalizer]);
  return updatePhase(observed);
}

/** Whether a Pod on a node mounts the claim. One without a node will not get one while the claim goes. */
function isInUse({ claim, pods }: ClaimObserved): boolean {
  return pods.some(
    ({ spec }) =>
      spec.nodeName !== '' &&
      spec.volumes.some(({ persistentVolumeClaim: source }) => source?.claimName === claim.metadata.name),
  );
}

function updatePhase({ claim, nodeExists }: ClaimObserved): Plan {
  const { phase } = claim.status;
  const nodeName = nodeOf(claim);
  if (nodeName === '') return phase === '' ? become(claim, 'Pending', waits(claim)) : nothingToDo;
  if (!nodeExists(nodeName)) return phase === 'Lost' ? nothingToDo : become(claim, 'Lost', lost(claim, nodeName));
  // Its agent looks whether the data is still there before any Pod gets it.
  if (phase === 'Lost') return become(claim, 'Bound');
  return phase === '' ? become(claim, 'Pending') : nothingToDo;
}

type Told = Pick<PlannedEvent, 'type' | 'reason' | 'message'>;

function waits(claim: Live<PersistentVolumeClaim>): Told {
  const problem = claimProblem(claim);
  if (problem !== undefined) return { type: 'Warning', reason: 'ProvisioningFailed', message: `the claim ${problem}` };
  const message = 'waiting for the first Pod that uses it: its node will have the data';
  return { type: 'Normal', reason: 'WaitForFirstConsumer', message };
}

function lost({ metadata }: Live<PersistentVolumeClaim>, nodeName: string): Told {
  const message = `node "${nodeName}", which has the data of claim ${metadata.name}, is not in the cluster`;
  return { type: 'Warning', reason: 'ClaimLost', message };
}

function become(claim: Live<PersistentVolumeClaim>, phase: string, told?: Told): Plan {
  const object = { ...claim, status: { ...claim.status, phase } };
  const write: ClientWrite = { type: 'updateStatus', kind: persistentVolumeClaim, object };
  const events = told === undefined ? [] : [{ kind: persistentVolumeClaim, object: claim, ...told, after: write }];
  return { writes: [write], events };
}

function withFinalizers(claim: Live<PersistentVolumeClaim>, finalizers: string[]): Plan {
  const object = { ...claim, metadata: { ...claim.metadata, finalizers } };
  return { writes: [{ type: 'update', kind: persistentVolumeClaim, object }], events: [] };
}

function without(finalizers: readonly string[]): string[] {
  return finalizers.filter((finalizer) => finalizer !== inUseFinalizer);
}
