import type { Live } from '@navarch/machinery';
import type { Container, Pod } from '@navarch/proto';
import type { ContainerInfo, SandboxInfo } from '../runtime/runtime.ts';

/** What should be. */
export interface DesiredPod {
  readonly pod: Live<Pod>;
  /** The api has no such Pod any more: what is left of it must go. */
  readonly gone: boolean;
}

/** What is, as far as a decision needs it. */
export interface ObservedPod {
  /** Newest first. */
  readonly sandboxes: readonly SandboxInfo[];
  /** Newest first, of all sandboxes. */
  readonly containers: readonly ContainerInfo[];
  /** The address of the sandbox that is ready; empty without one, or on the node's network. */
  readonly ip: string;
  readonly memory: PodMemory;
}

/** What the runtime can't tell: what the agent did and met in this life of its own. Losing it costs a repetition. */
export interface PodMemory {
  /** The volumes are in place. */
  readonly volumesReady: boolean;
  /** Sandboxes that were stopped, their network given back. */
  readonly stoppedSandboxes: ReadonlySet<string>;
  /** Whether an image is on this machine. */
  readonly images: ReadonlyMap<string, boolean>;
  /** For which attempt of a container its image was pulled. */
  readonly pulledFor: ReadonlyMap<string, number>;
  /** Steps that failed when last tried. See `step`. */
  readonly failures: ReadonlyMap<string, Failure>;
  /** What the probes say, by container id. */
  readonly health: ReadonlyMap<string, ContainerHealth>;
}

export interface Failure {
  /** In a row. */
  readonly count: number;
  readonly atMs: number;
  /** In one CamelCase word: ErrImagePull. */
  readonly reason: string;
  readonly message: string;
}

export interface ContainerHealth {
  readonly started: boolean;
  readonly ready: boolean;
  /** Set when the container must be restarted. */
  readonly failed?: { readonly probe: 'liveness' | 'startup'; readonly message: string };
}

/** Names the steps that can fail and are tried again with back-off. */
export const step = {
  volumes: 'volumes',
  sandbox: 'sandbox',
  pull: (image: string) => `pull ${image}`,
  start: (container: string) => `start ${container}`,
};

/** The one next step for a Pod. */
export type PodAction =
  | { readonly type: 'mountVolumes' }
  | { readonly type: 'createSandbox'; readonly attempt: number }
  | { readonly type: 'stopSandbox'; readonly sandboxId: string }
  | { readonly type: 'removeSandbox'; readonly sandboxId: string }
  | { readonly type: 'pullImage'; readonly container: string; readonly image: string; readonly attempt: number }
  | {
      readonly type: 'startContainer';
      readonly container: string;
      readonly sandboxId: string;
      readonly attempt: number;
      /** How long the container was held back; remembered on it, so that the next delay can follow from it. */
      readonly backoffMs: number;
    }
  | {
      readonly type: 'stopContainers';
      readonly ids: readonly string[];
      readonly graceSeconds: number;
      readonly reason: string;
    }
  | { readonly type: 'removeContainer'; readonly containerId: string }
  /** Nothing to do until something changes, or until `untilMs`. */
  | { readonly type: 'wait'; readonly untilMs: number | undefined; readonly reason: string }
  /** Nothing of the Pod is left on this node: its volumes and logs may go, then the Pod itself. */
  | { readonly type: 'finalize' };

/** A container's instances in one Pod, newest first. */
export function instancesOf(observed: ObservedPod, name: string): readonly ContainerInfo[] {
  return observed.containers.filter((container) => container.name === name);
}

export function allContainers(pod: Live<Pod>): readonly Container[] {
  return [...pod.spec.containers, ...pod.spec.initContainers, ...pod.spec.ephemeralContainers];
}

/** The container whose processes an ephemeral one of this name is to see. */
export function targetOf(pod: Live<Pod>, name: string): string | undefined {
  return pod.spec.ephemeralContainers.find((container) => container.name === name)?.targetContainerName || undefined;
}

export function restartPolicyOf(pod: Live<Pod>): string {
  return pod.spec.restartPolicy ?? 'Always';
}

export function isTerminating(pod: Live<Pod>): boolean {
  return pod.metadata.deletionTimestamp !== '';
}

export function isFinished(phase: string | undefined): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

/** Always for `latest`, else IfNotPresent, as in the Kubernetes API reference. */
export function pullPolicyOf(container: Container): string {
  if (container.imagePullPolicy !== '') return container.imagePullPolicy;
  const [reference = ''] = container.image.split('@');
  if (container.image.includes('@')) return 'IfNotPresent';
  const tag = reference.slice(reference.lastIndexOf('/') + 1).split(':')[1];
  return tag === undefined || tag === 'latest' ? 'Always' : 'IfNotPresent';
}
