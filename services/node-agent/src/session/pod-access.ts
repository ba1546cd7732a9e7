import type { Lister } from '@navarch/client';
import type { Clock } from '@navarch/kit';
import { ApiError, type Live } from '@navarch/machinery';
import type { Container, Pod } from '@navarch/proto';
import { labelKeys } from '../pod/container-config.ts';
import { allContainers } from '../pod/model.ts';
import type { ContainerInfo, Runtime, SandboxInfo } from '../runtime/runtime.ts';

export interface PodAccessOptions {
  readonly pods: Pick<Lister<Pod>, 'get'>;
  readonly runtime: Runtime;
  readonly nodeName: string;
  readonly clock: Clock;
}

/** Names a container as a user does; without a container's name it is the only one. */
export interface ContainerRequest {
  readonly namespace: string;
  readonly name: string;
  readonly container: string;
}

/** Finds the containers that users ask for. Throws ApiError with what a user should read. */
export class PodAccess {
  readonly #options: PodAccessOptions;

  constructor(options: PodAccessOptions) {
    this.#options = options;
  }

  /** Newest first; empty when none was made yet. */
  async instances(request: ContainerRequest): Promise<readonly ContainerInfo[]> {
    const { runtime } = this.#options;
    const { pod, container } = this.#choose(request);
    return runtime.listContainers({ [labelKeys.uid]: pod.metadata.uid, [labelKeys.container]: container.name });
  }

  /** As its Pod asks for it. */
  containerOf(request: ContainerRequest): Container {
    return this.#choose(request).container;
  }

  /** The sandbox in which the Pod's containers run. */
  async sandbox({ namespace, name }: { readonly namespace: string; readonly name: string }): Promise<SandboxInfo> {
    const { metadata } = this.#pod(namespace, name);
    const sandboxes = await this.#options.runtime.listSandboxes({ [labelKeys.uid]: metadata.uid });
    const ready = sandboxes.find((sandbox) => sandbox.ready);
    if (ready) return ready;
    throw new ApiError('BadRequest', `Pod "${name}" does not run: it has no network yet, or none any more`);
  }

  /** The running one. */
  async running(request: ContainerRequest): Promise<ContainerInfo> {
    const [newest] = await this.instances(request);
    if (newest?.state === 'running') return newest;
    const { container } = this.#choose(request);
    throw new ApiError(
      'BadRequest',
      `container "${container.name}" of Pod "${request.name}" does not run: ${this.#why(request)}`,
    );
  }

  /** Why a container that was asked for has nothing to show. */
  waiting(request: ContainerRequest): ApiError {
    const { container } = this.#choose(request);
    const why = this.#why(request);
    return new ApiError(
      'BadRequest',
      `container "${container.name}" of Pod "${request.name}" is waiting to start: ${why}`,
    );
  }

  #pod(namespace: string, name: string): Live<Pod> {
    const { pods, nodeName } = this.#options;
    const pod = pods.get({ namespace, name });
    if (pod) return pod;
    throw new ApiError('NotFound', `Pod "${name}" in namespace "${namespace}" is not on node "${nodeName}"`);
  }

  #choose({ namespace, name, container }: ContainerRequest): { pod: Live<Pod>; container: Container } {
    const pod = this.#pod(namespace, name);
    const { containers: main } = pod.spec;
    const all = allContainers(pod);
    const named = all.find((each) => each.name === container);
    if (named !== undefined) return { pod, container: named };
    const [only] = main;
    if (container === '' && main.length === 1 && only !== undefined) return { pod, container: only };
    const choice = `choose one of: ${all.map((each) => each.name).join(', ')}`;
    if (container === '') throw new ApiError('BadRequest', `Pod "${name}" has several containers; ${choice}`);
    throw new ApiError('BadRequest', `Pod "${name}" has no container "${container}"; ${choice}`);
  }

  #why(request: ContainerRequest): string {
    const { pod, container } = this.#choose(request);
    const { containerStatuses, initContainerStatuses, ephemeralContainerStatuses } = pod.status;
    const statuses = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses];
    const state = statuses.find(({ name }) => name === container.name)?.state;
    return state?.waiting?.reason || state?.terminated?.reason || 'ContainerCreating';
  }
}
