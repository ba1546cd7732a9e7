import type { ContainerConfig, SandboxConfig } from './runtime.ts';

/** The image that the suite's containers run. */
export const testImage = 'docker.io/library/busybox:latest';
const sleeper = ['/bin/sh', '-c', 'trap "exit 7" TERM; echo ready; sleep 1000 & wait'];

export function sandboxConfig(uid: string): SandboxConfig {
  return {
    pod: { namespace: 'default', name: `pod-${uid}`, uid },
    attempt: 0,
    hostname: `pod-${uid}`,
    logDirectory: '',
    hostNetwork: false,
    privileged: false,
    sharedPid: false,
    dns: { servers: ['10.96.0.10'], searches: ['default.svc.cluster.local'], options: ['ndots:5'] },
    portMappings: [],
    labels: { uid },
    annotations: { note: 'kept' },
  };
}

export function containerConfig(uid: string): ContainerConfig {
  return {
    name: 'main',
    attempt: 0,
    image: testImage,
    command: sleeper,
    args: [],
    workingDir: '',
    env: [{ name: 'GREETING', value: 'hello' }],
    mounts: [],
    labels: { uid },
    annotations: {},
    logPath: 'main/0.log',
    stdin: false,
    stdinOnce: false,
    tty: false,
    resources: { cpuShares: 102, cpuPeriodUs: 0, cpuQuotaUs: 0, memoryLimitBytes: 64 << 20, oomScoreAdj: 0 },
    security: {
      privileged: false,
      runAsUser: undefined,
      runAsGroup: undefined,
      supplementalGroups: [],
      readonlyRootfs: false,
      noNewPrivileges: false,
      addCapabilities: [],
      dropCapabilities: [],
      hostNetwork: false,
      pid: { type: 'own' },
    },
  };
}
