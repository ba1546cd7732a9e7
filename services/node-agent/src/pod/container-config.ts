import type { Live } from '@navarch/machinery';
import type { Container, Pod } from '@navarch/proto';
import type {
  ContainerConfig,
  ContainerSecurity,
  ImageInfo,
  Labels,
  Mount,
  PidNamespace,
  SandboxConfig,
} from '../runtime/runtime.ts';
import { type EnvSources, environment, expand } from './env.ts';
import { allContainers, instancesOf, type ObservedPod, targetOf } from './model.ts';
import { containerResources } from './resources.ts';
import { backoffAnnotation } from './restart.ts';
import { specHash, specHashAnnotation } from './spec-hash.ts';
import { StepError } from './step-error.ts';

/** Labels on everything that the agent makes; by them it finds its own again. Kubernetes' own names, known to tools. */
export const labelKeys = {
  name: 'io.kubernetes.pod.name',
  namespace: 'io.kubernetes.pod.namespace',
  uid: 'io.kubernetes.pod.uid',
  container: 'io.kubernetes.container.name',
} as const;

/** What Pods of this node have in common. */
export interface NodeSettings {
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly clusterDns: string;
  readonly clusterDomain: string;
  readonly logRoot: string;
  readonly memoryBytes: number;
  readonly cpuMillis: number;
}

export function podLabels(pod: Live<Pod>): Labels {
  const { name, namespace, uid } = pod.metadata;
  return { [labelKeys.name]: name, [labelKeys.namespace]: namespace, [labelKeys.uid]: uid };
}

export function sandboxConfig(pod: Live<Pod>, attempt: number, node: NodeSettings): SandboxConfig {
  const { name, namespace, uid } = pod.metadata;
  return {
    pod: { name, namespace, uid },
    attempt,
    hostname: hostname(pod, node),
    logDirectory: logDirectory(pod, node.logRoot),
    hostNetwork: pod.spec.hostNetwork,
    privileged: allContainers(pod).some(({ securityContext }) => securityContext?.privileged === true),
    sharedPid: pod.spec.shareProcessNamespace,
    dns: dns(pod, node),
    portMappings: pod.spec.hostNetwork
      ? []
      : pod.spec.containers.flatMap(({ ports }) =>
          ports
            .filter(({ hostPort }) => hostPort > 0)
            .map(({ containerPort, hostPort, protocol }) => ({
              containerPort,
              hostPort,
              hostIp: '',
              protocol: protocol === 'UDP' ? ('UDP' as const) : ('TCP' as const),
            })),
        ),
    labels: podLabels(pod),
    annotations: {},
  };
}

/** What Linux takes (__NEW_UTS_LEN in its include/uapi/linux/utsname.h). */
const longestHostname = 64;

/** The host name inside the Pod. Throws StepError where the one that is asked for is none that can be set. */
export function hostname(pod: Live<Pod>, node: Pick<NodeSettings, 'clusterDomain'>): string {
  const [full = '', short = full] = hostNames(pod, node);
  if (pod.spec.setHostnameAsFqdn !== true) return short;
  if (full.length <= longestHostname) return full;
  const message = `setHostnameAsFQDN: "${full}" has ${full.length} characters, and a host name at most ${longestHostname}`;
  throw new StepError('FailedCreatePodSandBox', message);
}

/** How the Pod calls itself: first by its full DNS name, where a headless Service gives it one. */
export function hostNames(pod: Live<Pod>, { clusterDomain }: Pick<NodeSettings, 'clusterDomain'>): readonly string[] {
  const { subdomain } = pod.spec;
  // A label is at most 63 characters; a Pod's name may be longer.
  const own = pod.spec.hostname || pod.metadata.name.slice(0, 63).replace(/[-.]+$/, '');
  return subdomain === '' ? [own] : [`${own}.${subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}`, own];
}

export function logDirectory(pod: Live<Pod>, root: string): string {
  const { name, namespace, uid } = pod.metadata;
  return `${root}/${namespace}_${name}_${uid}`;
}

function dns(pod: Live<Pod>, node: NodeSettings): SandboxConfig['dns'] {
  const policy = pod.spec.dnsPolicy ?? 'ClusterFirst';
  const ofCluster = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !pod.spec.hostNetwork);
  // With nothing given, the runtime copies the node's own resolv.conf.
  if (!ofCluster) return { servers: [], searches: [], options: [] };
  const { clusterDomain } = node;
  return {
    servers: [node.clusterDns],
    searches: [`${pod.metadata.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain],
    options: ['ndots:5'],
  };
}

/** An ephemeral container sees the processes of the container that it looks into. */
export function pidNamespace(pod: Live<Pod>, { name }: Container, observed: ObservedPod): PidNamespace {
  if (pod.spec.shareProcessNamespace) return { type: 'pod' };
  const target = targetOf(pod, name);
  if (target === undefined) return { type: 'own' };
  const running = instancesOf(observed, target).find(({ state }) => state === 'running');
  if (running === undefined) throw new StepError('CreateContainerConfigError', `container "${target}" does not run`);
  return { type: 'container', containerId: running.id };
}

export interface ContainerInputs {
  readonly attempt: number;
  readonly backoffMs: number;
  readonly sources: EnvSources;
  readonly mounts: readonly Mount[];
  readonly image: ImageInfo | undefined;
  readonly pid: PidNamespace;
  readonly node: NodeSettings;
}

/** What the runtime is told to run. Throws StepError when the Pod's settings don't allow it. */
export function containerConfig(pod: Live<Pod>, container: Container, inputs: ContainerInputs): ContainerConfig {
  const env = environment(pod, container, inputs.sources);
  const values = new Map(env.map(({ name, value }) => [name, value]));
  const withValues = (words: readonly string[]) => words.map((word) => expand(word, values));
  return {
    name: container.name,
    attempt: inputs.attempt,
    image: container.image,
    command: withValues(container.command),
    args: withValues(container.args),
    workingDir: container.workingDir,
    env: values.has('HOSTNAME') ? env : [{ name: 'HOSTNAME', value: hostname(pod, inputs.node) }, ...env],
    mounts: inputs.mounts,
    labels: { ...podLabels(pod), [labelKeys.container]: container.name },
    annotations: {
      [specHashAnnotation]: specHash(container),
      [backoffAnnotation]: String(inputs.backoffMs),
    },
    logPath: `${container.name}/${inputs.attempt}.log`,
    stdin: container.stdin,
    stdinOnce: container.stdinOnce,
    tty: container.tty,
    resources: containerResources(pod, container, inputs.node.memoryBytes),
    security: security(pod, container, inputs),
  };
}

function security(pod: Live<Pod>, container: Container, { image, pid }: ContainerInputs): ContainerSecurity {
  const ofPod = pod.spec.securityContext;
  const own = container.securityContext;
  const runAsUser = own?.runAsUser ?? ofPod?.runAsUser;
  const nonRoot = own?.runAsNonRoot ?? ofPod?.runAsNonRoot ?? false;
  if (nonRoot) forbidRoot(container.name, runAsUser, image);
  const runAsGroup = own?.runAsGroup ?? ofPod?.runAsGroup;
  const fsGroup = ofPod?.fsGroup === undefined ? [] : [ofPod.fsGroup];
  return {
    privileged: own?.privileged ?? false,
    // CRI takes a group only together with a user.
    runAsUser: runAsUser ?? (runAsGroup === undefined ? undefined : (image?.uid ?? 0)),
    runAsGroup,
    supplementalGroups: [...(ofPod?.supplementalGroups ?? []), ...fsGroup],
    readonlyRootfs: own?.readOnlyRootFilesystem ?? false,
    noNewPrivileges: own?.allowPrivilegeEscalation === false,
    addCapabilities: own?.capabilities?.add ?? [],
    dropCapabilities: own?.capabilities?.drop ?? [],
    hostNetwork: pod.spec.hostNetwork,
    pid,
  };
}

function forbidRoot(name: string, runAsUser: number | undefined, image: ImageInfo | undefined): void {
  if (runAsUser !== undefined && runAsUser !== 0) return;
  const byName = runAsUser === undefined && image?.uid === undefined && (image?.username ?? '') !== '';
  const byNumber = runAsUser === undefined && image?.uid !== undefined && image.uid !== 0;
  if (byNumber) return;
  const message = byName
    ? `container "${name}" has runAsNonRoot, and its image's user "${image?.username}" is a name: set runAsUser`
    : `container "${name}" has runAsNonRoot and would run as root: set runAsUser`;
  throw new StepError('CreateContainerConfigError', message);
}
