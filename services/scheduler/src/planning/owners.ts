import { controllerOf, podTemplateHashLabel, takesRoom } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { toPodInfo } from '../pod-info.ts';
import type { Coming } from './simulation.ts';

/** What the Pod belongs to, as people call it: `deployment/web`. '' where nobody made it. */
export function ownerOf(pod: Live<Pod>): string {
  const owner = controllerOf(pod);
  if (owner === undefined) return '';
  const hash = pod.metadata.labels[podTemplateHashLabel];
  // A Deployment's ReplicaSets are called by it and the hash of their template.
  if (owner.kind === 'ReplicaSet' && hash !== undefined && owner.name.endsWith(`-${hash}`)) {
    return `deployment/${owner.name.slice(0, -hash.length - 1)}`;
  }
  return `${owner.kind.toLowerCase()}/${owner.name}`;
}

export function isDaemon(pod: Live<Pod>): boolean {
  return controllerOf(pod)?.kind === 'DaemonSet';
}

/** Whether the Pod is on a node and takes room there. */
export function isPlaced(pod: Live<Pod>): boolean {
  return pod.spec.nodeName !== '' && takesRoom(pod);
}

/** Whether the Pod waits for a scheduler. */
export function isWaiting(pod: Live<Pod>): boolean {
  const { metadata, spec } = pod;
  return (
    spec.nodeName === '' && spec.schedulingGates.length === 0 && metadata.deletionTimestamp === '' && takesRoom(pod)
  );
}

/** The Pod that its owner makes in its place; undefined where nobody does, or only where it is now. */
export function replacement(pod: Live<Pod>): Omit<Coming, 'fate' | 'reason'> | undefined {
  const owner = ownerOf(pod);
  if (owner === '' || isDaemon(pod)) return undefined;
  const { metadata, spec } = pod;
  const again = { ...pod, spec: { ...spec, nodeName: '' } };
  return { info: toPodInfo(again), name: metadata.name, owner, from: spec.nodeName };
}
