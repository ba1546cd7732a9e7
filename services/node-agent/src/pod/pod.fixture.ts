import type { Live } from '@navarch/machinery';
import { Container, ObjectMeta, Pod, PodSpec, PodStatus } from '@navarch/proto';
import type { ContainerInfo, SandboxInfo } from '../runtime/runtime.ts';
import type { ObservedPod, PodMemory } from './model.ts';
import { backoffAnnotation } from './restart.ts';
import { specHash, specHashAnnotation } from './spec-hash.ts';

export const now = Date.UTC(2026, 0, 1, 12);

export function container(change: Partial<Container> = {}): Container {
  return Container.fromPartial({ name: 'main', image: 'busybox:1', ...change });
}

export function aPod(
  spec: Partial<PodSpec> = {},
  metadata: Partial<ObjectMeta> = {},
  status: Partial<PodStatus> = {},
): Live<Pod> {
  return {
    metadata: ObjectMeta.fromPartial({ name: 'web', namespace: 'default', uid: 'u1', generation: 1, ...metadata }),
    spec: PodSpec.fromPartial({ restartPolicy: 'Always', nodeName: 'n1', containers: [container()], ...spec }),
    status: PodStatus.fromPartial(status),
  };
}

export function sandbox(change: Partial<SandboxInfo> = {}): SandboxInfo {
  return {
    id: 's1',
    pod: { namespace: 'default', name: 'web', uid: 'u1' },
    attempt: 0,
    ready: true,
    createdAtMs: now - 60_000,
    labels: {},
    annotations: {},
    ...change,
  };
}

export function instance(change: Partial<ContainerInfo> & { backoffMs?: number } = {}): ContainerInfo {
  const { backoffMs = 0, ...rest } = change;
  const name = change.name ?? 'main';
  return {
    id: `${name}-${change.attempt ?? 0}`,
    sandboxId: 's1',
    name,
    attempt: 0,
    state: 'running',
    createdAtMs: now - 50_000,
    startedAtMs: change.state === 'created' ? 0 : now - 50_000,
    finishedAtMs: change.state === 'exited' ? now - 1_000 : 0,
    exitCode: 0,
    reason: '',
    message: '',
    image: 'busybox:1',
    imageRef: 'sha256:1',
    logPath: '',
    labels: {},
    annotations: {
      [specHashAnnotation]: specHash(container({ name })),
      [backoffAnnotation]: String(backoffMs),
    },
    ...rest,
  };
}

export function memory(change: Partial<PodMemory> = {}): PodMemory {
  return {
    volumesReady: true,
    stoppedSandboxes: new Set(),
    images: new Map([['busybox:1', true]]),
    pulledFor: new Map(),
    failures: new Map(),
    health: new Map(),
    ...change,
  };
}

export function observed(change: Partial<ObservedPod> = {}): ObservedPod {
  return { sandboxes: [], containers: [], ip: '', memory: memory(), ...change };
}
