import type { Lister } from '@navarch/client';
import type { Clock } from '@navarch/kit';
import { ApiError, type Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { labelKeys } from '../pod/container-config.ts';
import type { ContainerInfo, Runtime } from '../runtime/runtime.ts';

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
    return runtime.listContainers({ [labelKeys.uid]: pod.metadata.uid, [labelKeys.container]: container });
  }

  /** The running one. */
  async running(request: ContainerRequest): Promise<ContainerInfo> {
    const [newest] = await this.instances(request);
    if (newest?.state === 'running') return newest;
    const { container } = this.#choose(request);
    throw new ApiError(
      'BadRequest',
      `container "${container}" of Pod "${request.name}" does not run: ${this.#why(request)}`,
    );
  }

  /** Why a container that was asked for has nothing to show. */
  waiting(request: ContainerRequest): ApiError {
    const { container } = this.#choose(request);
    const why = this.#why(request);
    return new ApiError('BadRequest', `container "${container}" of Pod "${request.name}" is waiting to start: ${why}`);
  }

  #choose({ namespace, name, container }: ContainerRequest): { pod: Live<Pod>; container: string } {
    const { pods, nodeName } = this.#options;
    const pod = pods.get({ namespace, name });
    if (!pod) throw new ApiError('NotFound', `Pod "${name}" in namespace "${namespace}" is not on node "${nodeName}"`);
    const main = pod.spec.containers.map((each) => each.name);
    const names = [...main, ...pod.spec.initContainers.map((each) => each.name)];
    if (container !== '' && names.includes(container)) return { pod, container };
    const [only] = main;
    if (container === '' && main.length === 1 && only !== undefined) return { pod, container: only };
    const choice = `choose one of: ${names.join(', ')}`;
    if (container === '') throw new ApiError('BadRequest', `Pod "${name}" has several containers; ${choice}`);
    throw new ApiError('BadRequest', `Pod "${name}" has no container "${container}"; ${choice}`);
  }

  #why(request: ContainerRequest): string {
    const { pod, container } = this.#choose(request);
    const statuses = [...pod.status.containerStatuses, ...pod.status.initContainerStatuses];
    const state = statuses.find(({ name }) => name === container)?.state;
    return state?.waiting?.reason || state?.terminated?.reason || 'ContainerCreating';
  }
}
