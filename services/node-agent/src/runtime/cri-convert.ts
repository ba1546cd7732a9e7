import { cri } from '@navarch/proto';
import type {
  ContainerConfig,
  ContainerInfo,
  ContainerState,
  ImageInfo,
  Labels,
  Mount,
  PidNamespace,
  PodIdentity,
  SandboxConfig,
  SandboxInfo,
} from './runtime.ts';

// Between our words and CRI's.

export function sandboxConfig(config: SandboxConfig): cri.PodSandboxConfig {
  return cri.PodSandboxConfig.fromPartial({
    metadata: { ...config.pod, attempt: config.attempt },
    hostname: config.hostNetwork ? '' : config.hostname,
    logDirectory: config.logDirectory,
    dnsConfig: {
      servers: [...config.dns.servers],
      searches: [...config.dns.searches],
      options: [...config.dns.options],
    },
    portMappings: config.portMappings.map((port) => ({ ...port, protocol: cri.Protocol[port.protocol] })),
    labels: { ...config.labels },
    annotations: { ...config.annotations },
    linux: {
      securityContext: {
        namespaceOptions: namespaces(config.hostNetwork, { type: config.sharedPid ? 'pod' : 'own' }),
        privileged: config.privileged,
      },
    },
  });
}

export function containerConfig(config: ContainerConfig): cri.ContainerConfig {
  const { security, resources } = config;
  return cri.ContainerConfig.fromPartial({
    metadata: { name: config.name, attempt: config.attempt },
    image: { image: config.image },
    command: [...config.command],
    args: [...config.args],
    workingDir: config.workingDir,
    envs: config.env.map(({ name, value }) => ({ key: name, value })),
    mounts: config.mounts.map((mount) => ({
      containerPath: mount.containerPath,
      hostPath: mount.hostPath,
      readonly: mount.readonly,
      propagation: propagation[mount.propagation],
    })),
    labels: { ...config.labels },
    annotations: { ...config.annotations },
    logPath: config.logPath,
    stdin: config.stdin,
    stdinOnce: config.stdinOnce,
    tty: config.tty,
    linux: {
      resources: {
        cpuShares: BigInt(resources.cpuShares),
        cpuPeriod: BigInt(resources.cpuPeriodUs),
        cpuQuota: BigInt(resources.cpuQuotaUs),
        memoryLimitInBytes: BigInt(resources.memoryLimitBytes),
        oomScoreAdj: BigInt(resources.oomScoreAdj),
      },
      securityContext: {
        capabilities: {
          addCapabilities: [...security.addCapabilities],
          dropCapabilities: [...security.dropCapabilities],
        },
        privileged: security.privileged,
        namespaceOptions: namespaces(security.hostNetwork, security.pid),
        readonlyRootfs: security.readonlyRootfs,
        noNewPrivs: security.noNewPrivileges,
        supplementalGroups: security.supplementalGroups.map(BigInt),
        ...(security.runAsUser !== undefined && { runAsUser: { value: BigInt(security.runAsUser) } }),
        ...(security.runAsGroup !== undefined && { runAsGroup: { value: BigInt(security.runAsGroup) } }),
        // What an unprivileged container must neither see nor change (the list of the OCI default in containerd).
        maskedPaths: security.privileged ? [] : maskedPaths,
        readonlyPaths: security.privileged ? [] : readonlyPaths,
      },
    },
  });
}

const maskedPaths = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/scsi',
  '/proc/sched_debug',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/firmware',
];
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

const propagation: Record<Mount['propagation'], cri.MountPropagation> = {
  None: cri.MountPropagation.PROPAGATION_PRIVATE,
  HostToContainer: cri.MountPropagation.PROPAGATION_HOST_TO_CONTAINER,
  Bidirectional: cri.MountPropagation.PROPAGATION_BIDIRECTIONAL,
};

function namespaces(hostNetwork: boolean, pid: PidNamespace): cri.NamespaceOption {
  return {
    network: hostNetwork ? cri.NamespaceMode.NODE : cri.NamespaceMode.POD,
    pid: pidModes[pid.type],
    ipc: cri.NamespaceMode.POD,
    targetId: pid.type === 'container' ? pid.containerId : '',
  };
}

// A Pod's containers don't see each other's processes unless asked; CRI's default is the other way round.
const pidModes: Record<PidNamespace['type'], cri.NamespaceMode> = {
  own: cri.NamespaceMode.CONTAINER,
  pod: cri.NamespaceMode.POD,
  container: cri.NamespaceMode.TARGET,
};

export function sandboxInfo(sandbox: cri.PodSandbox): SandboxInfo {
  return {
    id: sandbox.id,
    pod: identity(sandbox.metadata),
    attempt: sandbox.metadata?.attempt ?? 0,
    ready: sandbox.state === cri.PodSandboxState.SANDBOX_READY,
    createdAtMs: millis(sandbox.createdAt),
    labels: sandbox.labels,
    annotations: sandbox.annotations,
  };
}

export function containerInfo(sandboxId: string, status: cri.ContainerStatus): ContainerInfo {
  return {
    id: status.id,
    sandboxId,
    name: status.metadata?.name ?? '',
    attempt: status.metadata?.attempt ?? 0,
    state: containerState(status.state),
    createdAtMs: millis(status.createdAt),
    startedAtMs: millis(status.startedAt),
    finishedAtMs: millis(status.finishedAt),
    exitCode: status.exitCode,
    reason: status.reason,
    message: status.message,
    image: status.image?.image ?? '',
    imageRef: status.imageRef,
    logPath: status.logPath,
    labels: status.labels,
    annotations: status.annotations,
  };
}

export function containerState(state: cri.ContainerState): ContainerState {
  switch (state) {
    case cri.ContainerState.CONTAINER_CREATED:
      return 'created';
    case cri.ContainerState.CONTAINER_RUNNING:
      return 'running';
    case cri.ContainerState.CONTAINER_EXITED:
      return 'exited';
    default:
      return 'unknown';
  }
}

export function imageInfo(image: cri.Image): ImageInfo {
  return {
    id: image.id,
    tags: image.repoTags,
    digests: image.repoDigests,
    sizeBytes: Number(image.size),
    uid: image.uid === undefined ? undefined : Number(image.uid.value),
    username: image.username,
  };
}

function identity(metadata: cri.PodSandboxMetadata | undefined): PodIdentity {
  return { namespace: metadata?.namespace ?? '', name: metadata?.name ?? '', uid: metadata?.uid ?? '' };
}

/** CRI counts nanoseconds. */
export function millis(nanoseconds: bigint): number {
  return nanoseconds <= 0n ? 0 : Number(nanoseconds / 1_000_000n);
}

export function filter(labels: Labels): { labelSelector: Record<string, string> } {
  return { labelSelector: { ...labels } };
}
