import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pod as podKind } from '@navarch/kinds';
import { keyOf, type Live } from '@navarch/machinery';
import type { Container, Pod } from '@navarch/proto';
import type { Mount } from '../runtime/runtime.ts';
import type { ConfigData } from './config-source.ts';
import { containerConfig, hostNames, logDirectory, pidNamespace, sandboxConfig } from './container-config.ts';
import type { EnvSources } from './env.ts';
import { graceLeft, longestRemovalMs } from './grace-period.ts';
import { hostsFile, ownHosts } from './hosts-file.ts';
import {
  allContainers,
  type DesiredPod,
  isTerminating,
  type ObservedPod,
  type PodAction,
  pullPolicyOf,
  step,
} from './model.ts';
import type { PodContext } from './pod-context.ts';
import { StepError } from './step-error.ts';
import type { WorkingMemory } from './working-memory.ts';

type ActionOf<Type extends PodAction['type']> = Extract<PodAction, { type: Type }>;

/** Does the steps that `nextPodAction` decides on. A step that fails is remembered, for the next decision. */
export class PodSteps {
  readonly #context: PodContext;
  readonly #memory: WorkingMemory;

  constructor(context: PodContext, memory: WorkingMemory) {
    this.#context = context;
    this.#memory = memory;
  }

  /** `signal` aborts a step that a change of mind made pointless; what it has begun is found by the next observation. */
  async apply(
    action: Exclude<PodAction, { type: 'wait' | 'finalize' }>,
    desired: DesiredPod,
    observed: ObservedPod,
    signal: AbortSignal,
  ): Promise<void> {
    const { runtime } = this.#context;
    const { pod } = desired;
    switch (action.type) {
      case 'mountVolumes':
        return this.#mountVolumes(pod);
      case 'createSandbox':
        return this.#createSandbox(action, pod, signal);
      case 'stopSandbox':
        await runtime.stopSandbox(action.sandboxId);
        this.#memory.stoppedSandboxes.add(action.sandboxId);
        return;
      case 'removeSandbox':
        return runtime.removeSandbox(action.sandboxId);
      case 'pullImage':
        return this.#pull(action, pod, signal);
      case 'startContainer':
        return this.#context.startLimit.run('container', () => this.#start(action, pod, observed));
      case 'stopContainers':
        return this.#stop(action, desired, observed, signal);
      case 'removeContainer':
        return runtime.removeContainer(action.containerId);
    }
  }

  /** Removes what the agent kept for the Pod, and then the Pod. */
  async finalize({ pod, gone }: DesiredPod): Promise<void> {
    const { volumes, podRoot, node, writer } = this.#context;
    await volumes.remove(pod.metadata.uid);
    await rm(join(podRoot, pod.metadata.uid), { recursive: true, force: true });
    await rm(logDirectory(pod, node.logRoot), { recursive: true, force: true });
    if (gone) return;
    const { name, namespace, uid } = pod.metadata;
    const outcome = await writer.submit(keyOf(pod), {
      type: 'delete',
      kind: podKind,
      key: { name, namespace },
      options: { gracePeriodSeconds: 0, uid },
    });
    if (outcome.ok || outcome.error.reason === 'NotFound' || outcome.error.reason === 'Conflict') return;
    throw new Error(`the Pod could not be removed: ${outcome.error.message}`);
  }

  async #mountVolumes(pod: Live<Pod>): Promise<void> {
    try {
      await this.#context.volumes.prepare(pod);
      this.#memory.volumesReady = true;
      this.#memory.succeeded(step.volumes);
    } catch (error) {
      this.#fail(pod, step.volumes, error, 'FailedMount');
    }
  }

  async #createSandbox({ attempt }: ActionOf<'createSandbox'>, pod: Live<Pod>, signal: AbortSignal): Promise<void> {
    const { runtime, node } = this.#context;
    if (!pod.spec.hostNetwork) await this.#context.networkReady(signal);
    try {
      const config = sandboxConfig(pod, attempt, node);
      await mkdir(config.logDirectory, { recursive: true, mode: 0o755 });
      await this.#context.startLimit.run('sandbox', () => runtime.runSandbox(config));
      this.#memory.succeeded(step.sandbox);
    } catch (error) {
      this.#fail(pod, step.sandbox, error, 'FailedCreatePodSandBox');
    }
  }

  async #pull(
    { container, image, attempt }: ActionOf<'pullImage'>,
    pod: Live<Pod>,
    signal: AbortSignal,
  ): Promise<void> {
    const { puller, clock } = this.#context;
    const spec = allContainers(pod).find(({ name }) => name === container);
    try {
      if (spec && pullPolicyOf(spec) === 'Never') {
        throw new StepError('ErrImageNeverPull', `image "${image}" is not present, and its pull policy is Never`);
      }
      const startedMs = clock.monotonicMs();
      this.#event(pod, 'Normal', 'Pulling', `Pulling image "${image}"`);
      await puller.pull(image, signal);
      const ms = Math.round(clock.monotonicMs() - startedMs);
      this.#event(pod, 'Normal', 'Pulled', `Successfully pulled image "${image}" in ${ms}ms`);
      this.#memory.pulledFor.set(container, attempt);
      this.#memory.saw(image, await this.#context.runtime.imageStatus(image));
      this.#memory.succeeded(step.pull(image));
    } catch (error) {
      if (signal.aborted) return;
      this.#fail(pod, step.pull(image), error, 'ErrImagePull', `Failed to pull image "${image}"`);
    }
  }

  async #start(action: ActionOf<'startContainer'>, pod: Live<Pod>, observed: ObservedPod): Promise<void> {
    const { runtime, node, volumes } = this.#context;
    const container = allContainers(pod).find(({ name }) => name === action.container);
    const sandbox = observed.sandboxes.find(({ id }) => id === action.sandboxId);
    if (!container || !sandbox) return;
    const name = step.start(container.name);
    let id: string;
    try {
      const config = containerConfig(pod, container, {
        attempt: action.attempt,
        backoffMs: action.backoffMs,
        sources: await this.#sources(pod, container, observed.ip),
        mounts: [...(await volumes.mounts(pod, container)), ...(await this.#hostsFile(pod, container, observed.ip))],
        image: this.#memory.imageInfos.get(container.image),
        pid: pidNamespace(pod, container, observed),
        node,
      });
      if (this.#memory.pulledFor.get(container.name) !== action.attempt) {
        this.#event(pod, 'Normal', 'Pulled', `Container image "${container.image}" already present on machine`);
      }
      id = await runtime.createContainer(sandbox.id, config, sandboxConfig(pod, sandbox.attempt, node));
      this.#event(pod, 'Normal', 'Created', `Created container ${container.name}`);
    } catch (error) {
      this.#fail(pod, name, error, 'CreateContainerError', `Container ${container.name}`);
      return;
    }
    try {
      await runtime.startContainer(id);
      this.#memory.succeeded(name, step.pull(container.image));
      this.#event(pod, 'Normal', 'Started', `Started container ${container.name}`);
    } catch (error) {
      this.#fail(pod, name, error, 'RunContainerError', `Container ${container.name}`);
    }
  }

  async #stop(
    { ids, graceSeconds, reason }: ActionOf<'stopContainers'>,
    desired: DesiredPod,
    observed: ObservedPod,
    signal: AbortSignal,
  ): Promise<void> {
    const { runtime, clock } = this.#context;
    const { pod } = desired;
    const startedMs = clock.monotonicMs();
    if (isTerminating(pod) && graceSeconds > 0) await this.#leaveServices(pod, graceSeconds, signal);
    const leftSeconds = graceLeft(graceSeconds, clock.monotonicMs() - startedMs);
    const names = observed.containers.filter(({ id }) => ids.includes(id)).map(({ name }) => name);
    const why = reason === 'Unhealthy' ? ' failed its liveness or startup probe and will be restarted' : '';
    for (const name of names) this.#event(pod, 'Normal', 'Killing', `Stopping container ${name}${why && `:${why}`}`);
    await Promise.all(ids.map((id) => runtime.stopContainer(id, leftSeconds, signal)));
  }

  async #leaveServices(pod: Live<Pod>, graceSeconds: number, signal: AbortSignal): Promise<void> {
    await this.#context.endpointRemoved(keyOf(pod), longestRemovalMs(graceSeconds), signal).catch((error: unknown) => {
      signal.throwIfAborted();
      const fields = { err: error, pod: keyOf(pod) };
      this.#context.logger.warn(fields, 'stopping a Pod that Services may still send to');
    });
  }

  async #sources(pod: Live<Pod>, container: Container, podIp: string): Promise<EnvSources> {
    const { config, node } = this.#context;
    const { namespace } = pod.metadata;
    const configMaps = new Map<string, ConfigData>();
    const secrets = new Map<string, ConfigData>();
    const references = [
      ...container.envFrom.flatMap(({ configMapRef, secretRef }) => [
        { configMap: configMapRef?.name, secret: secretRef?.name },
      ]),
      ...container.env.map(({ valueFrom }) => ({
        configMap: valueFrom?.configMapKeyRef?.name,
        secret: valueFrom?.secretKeyRef?.name,
      })),
    ];
    for (const reference of references) {
      if (reference.configMap !== undefined && !configMaps.has(reference.configMap)) {
        const data = await config.configMap(namespace, reference.configMap);
        if (data) configMaps.set(reference.configMap, data);
      }
      if (reference.secret !== undefined && !secrets.has(reference.secret)) {
        const data = await config.secret(namespace, reference.secret);
        if (data) secrets.set(reference.secret, data);
      }
    }
    return {
      configMaps,
      secrets,
      podIp: pod.spec.hostNetwork ? node.nodeIp : podIp,
      hostIp: node.nodeIp,
      nodeName: node.nodeName,
      allocatable: { cpuMillis: node.cpuMillis, memoryBytes: node.memoryBytes },
    };
  }

  /** The runtime would show the Pod its node's own /etc/hosts: a Pod in the node's network sees that, if nothing is added. */
  async #hostsFile(pod: Live<Pod>, container: Container, ip: string): Promise<Mount[]> {
    const { hostNetwork, hostAliases } = pod.spec;
    if (hostNetwork && hostAliases.length === 0) return [];
    if (container.volumeMounts.some(({ mountPath }) => mountPath === '/etc/hosts')) return [];
    const { podRoot, node } = this.#context;
    const dir = join(podRoot, pod.metadata.uid);
    const hostPath = join(dir, 'etc-hosts');
    await mkdir(dir, { recursive: true });
    const ofNode = hostNetwork ? await readFile('/etc/hosts', 'utf8') : undefined;
    await writeFile(hostPath, hostsFile(pod, ofNode ?? ownHosts(ip, hostNames(pod, node))), { mode: 0o644 });
    return [{ containerPath: '/etc/hosts', hostPath, readonly: false, propagation: 'None' }];
  }

  #fail(pod: Live<Pod>, name: string, error: unknown, reason: string, what = ''): void {
    const { clock, logger } = this.#context;
    const failure = this.#memory.failed(name, error, reason, clock.now());
    const message = what === '' ? failure.message : `${what}: ${failure.message}`;
    logger.warn({ pod: keyOf(pod), step: name, reason: failure.reason, count: failure.count }, message);
    this.#event(pod, 'Warning', failure.reason.startsWith('Err') ? 'Failed' : failure.reason, message);
  }

  #event(pod: Live<Pod>, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#context.events.event(podKind, pod, type, reason, message);
  }
}
