import { readFile } from 'node:fs/promises';
import { type Client, Metadata } from '@grpc/grpc-js';
import { ApiError, isApiError } from '@navarch/machinery';
import { containerdevents, cri } from '@navarch/proto';
import * as convert from './cri-convert.ts';
import { attachAt } from './attach.ts';
import { startExec } from './exec.ts';
import { connect, type Unary, unary } from './grpc.ts';
import { listeningPorts } from './listening-ports.ts';
import { NetworkDialer } from './network-dialer.ts';
import type {
  Attached,
  AttachOptions,
  ContainerConfig,
  ContainerInfo,
  ContainerUsage,
  ExecOptions,
  ExecProcess,
  ExecSyncResult,
  ImageInfo,
  Labels,
  RegistryAuth,
  Runtime,
  RuntimeSnapshot,
  RuntimeStatus,
  RuntimeVersion,
  SandboxConfig,
  SandboxInfo,
  SandboxNetwork,
} from './runtime.ts';

const { RuntimeServiceService: rs, ImageServiceService: is } = cri;

/** A call that only looks. */
const readMs = 10_000;
/** A call that makes or ends something: kernels and disks under load take their time. */
const changeMs = 120_000;

/** containerd, through CRI v1; and through its own API for what CRI leaves to a server of its own (exec) or to later versions (events). */
export class CriRuntime implements Runtime {
  readonly #client: Client;
  readonly #stateDir: string;

  /** `stateDir` holds the FIFOs of running execs; containerd must see it under the same path. */
  constructor(options: { socket: string; stateDir: string }) {
    this.#client = connect(options.socket);
    this.#stateDir = options.stateDir;
  }

  async version(signal?: AbortSignal): Promise<RuntimeVersion> {
    const answer = await this.#call(rs.version, { version: 'v1' }, readMs, signal);
    return { name: answer.runtimeName, version: answer.runtimeVersion };
  }

  async status(signal?: AbortSignal): Promise<RuntimeStatus> {
    const { status } = await this.#call(rs.status, { verbose: false }, readMs, signal);
    const conditions = status?.conditions ?? [];
    const holds = (type: string) => conditions.some((condition) => condition.type === type && condition.status);
    return {
      runtimeReady: holds('RuntimeReady'),
      networkReady: holds('NetworkReady'),
      message: conditions
        .filter((condition) => !condition.status)
        .map((condition) => `${condition.type} is false: ${condition.message || condition.reason}`)
        .join('; '),
    };
  }

  async imageStatus(image: string, signal?: AbortSignal): Promise<ImageInfo | undefined> {
    const answer = await this.#call(is.imageStatus, { image: spec(image), verbose: false }, readMs, signal);
    return answer.image && convert.imageInfo(answer.image);
  }

  async pullImage(image: string, options: { auth?: RegistryAuth; signal?: AbortSignal }): Promise<string> {
    const request = cri.PullImageRequest.fromPartial({
      image: { image },
      ...(options.auth && { auth: { ...options.auth } }),
    });
    return (await this.#call(is.pullImage, request, 0, options.signal)).imageRef;
  }

  async listImages(signal?: AbortSignal): Promise<ImageInfo[]> {
    const answer = await this.#call(is.listImages, { filter: undefined }, readMs, signal);
    return answer.images.map(convert.imageInfo);
  }

  async removeImage(image: string, signal?: AbortSignal): Promise<void> {
    await this.#call(is.removeImage, { image: spec(image) }, changeMs, signal);
  }

  async runSandbox(config: SandboxConfig, signal?: AbortSignal): Promise<string> {
    const request = { config: convert.sandboxConfig(config), runtimeHandler: '' };
    return (await this.#call(rs.runPodSandbox, request, changeMs * 2, signal)).podSandboxId;
  }

  async stopSandbox(id: string, signal?: AbortSignal): Promise<void> {
    await gone(this.#call(rs.stopPodSandbox, { podSandboxId: id }, changeMs, signal));
  }

  async removeSandbox(id: string, signal?: AbortSignal): Promise<void> {
    await gone(this.#call(rs.removePodSandbox, { podSandboxId: id }, changeMs, signal));
  }

  async createContainer(sandboxId: string, config: ContainerConfig, sandbox: SandboxConfig): Promise<string> {
    const request = {
      podSandboxId: sandboxId,
      config: convert.containerConfig(config),
      sandboxConfig: convert.sandboxConfig(sandbox),
    };
    return (await this.#call(rs.createContainer, request, changeMs)).containerId;
  }

  async startContainer(id: string, signal?: AbortSignal): Promise<void> {
    await this.#call(rs.startContainer, { containerId: id }, changeMs, signal);
  }

  async stopContainer(id: string, graceSeconds: number, signal?: AbortSignal): Promise<void> {
    const request = { containerId: id, timeout: BigInt(Math.max(0, Math.ceil(graceSeconds))) };
    await gone(this.#call(rs.stopContainer, request, changeMs + graceSeconds * 1000, signal));
  }

  async removeContainer(id: string, signal?: AbortSignal): Promise<void> {
    await gone(this.#call(rs.removeContainer, { containerId: id }, changeMs, signal));
  }

  async listSandboxes(labels: Labels, signal?: AbortSignal): Promise<SandboxInfo[]> {
    const request = cri.ListPodSandboxRequest.fromPartial({ filter: convert.filter(labels) });
    const { items } = await this.#call(rs.listPodSandbox, request, readMs, signal);
    return items.map(convert.sandboxInfo).sort((a, b) => b.createdAtMs - a.createdAtMs || b.attempt - a.attempt);
  }

  async listContainers(labels: Labels, signal?: AbortSignal): Promise<ContainerInfo[]> {
    const request = cri.ListContainersRequest.fromPartial({ filter: convert.filter(labels) });
    const { containers } = await this.#call(rs.listContainers, request, readMs, signal);
    const infos = await Promise.all(
      containers.map(async (container) => {
        try {
          const status = await this.#containerStatus(container.id, false, signal);
          return convert.containerInfo(container.podSandboxId, status.status);
        } catch (error) {
          // Removed between the list and the question.
          if (isApiError(error, 'NotFound')) return undefined;
          throw error;
        }
      }),
    );
    return infos
      .filter((info) => info !== undefined)
      .sort((a, b) => b.createdAtMs - a.createdAtMs || b.attempt - a.attempt);
  }

  async snapshot(signal?: AbortSignal): Promise<RuntimeSnapshot> {
    const [sandboxes, { containers }] = await Promise.all([
      this.listSandboxes({}, signal),
      this.#call(rs.listContainers, { filter: undefined }, readMs, signal),
    ]);
    return {
      sandboxes,
      containers: containers.map(({ id, podSandboxId, state, labels }) => ({
        id,
        sandboxId: podSandboxId,
        state: convert.containerState(state),
        labels,
      })),
    };
  }

  async sandboxIp(id: string, signal?: AbortSignal): Promise<string> {
    const { status } = await this.#call(rs.podSandboxStatus, { podSandboxId: id, verbose: false }, readMs, signal);
    return status?.network?.ip ?? '';
  }

  async *exits(signal: AbortSignal): AsyncIterable<{ readonly id: string }> {
    const method = containerdevents.EventsService.subscribe;
    const request = { filters: ['topic=="/tasks/exit",namespace=="k8s.io"'] };
    const call = this.#client.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
    );
    const abort = () => call.cancel();
    signal.addEventListener('abort', abort, { once: true });
    try {
      for await (const message of call) {
        // grpc-js types a stream's messages as any; the deserializer of this method makes Envelopes.
        const envelope = message as containerdevents.Envelope;
        if (!envelope.event) continue;
        const exit = containerdevents.TaskExit.decode(envelope.event.value);
        // An exec's end carries the exec's id; only the end of a container's first process ends the container.
        if (exit.id === exit.containerId) yield { id: exit.containerId };
      }
    } catch (error) {
      if (signal.aborted) return;
      throw new ApiError('Unavailable', "the runtime's event stream ended", { cause: error });
    } finally {
      signal.removeEventListener('abort', abort);
      call.cancel();
    }
  }

  async execSync(id: string, command: readonly string[], options: { timeoutMs: number }): Promise<ExecSyncResult> {
    const timeoutSeconds = Math.max(1, Math.ceil(options.timeoutMs / 1000));
    const request = { containerId: id, cmd: [...command], timeout: BigInt(timeoutSeconds) };
    const answer = await this.#call(rs.execSync, request, timeoutSeconds * 1000 + readMs);
    return { exitCode: answer.exitCode, stdout: Buffer.from(answer.stdout), stderr: Buffer.from(answer.stderr) };
  }

  async exec(id: string, options: ExecOptions): Promise<ExecProcess> {
    const { info } = await this.#containerStatus(id, true);
    return startExec(this.#client, containerdNamespace(), this.#stateDir, id, info['info'] ?? '', options);
  }

  async attach(id: string, { stdin, tty }: AttachOptions): Promise<Attached> {
    const request = { containerId: id, stdin, tty, stdout: true, stderr: !tty };
    const { url } = await this.#call(rs.attach, request, readMs);
    return attachAt(url, { stdin, tty });
  }

  async network(sandboxId: string): Promise<SandboxNetwork> {
    const { info } = await this.#call(rs.podSandboxStatus, { podSandboxId: sandboxId, verbose: true }, readMs);
    return new NetworkDialer(processId(info, `sandbox ${sandboxId}`));
  }

  async listening(id: string): Promise<ReadonlySet<number>> {
    const { info } = await this.#containerStatus(id, true);
    const pid = processId(info, `container ${id}`);
    const table = (file: string) => readFile(`/proc/${pid}/net/${file}`, 'utf8').catch(() => ''); // no IPv6, or it ended
    return new Set((await Promise.all([table('tcp'), table('tcp6')])).flatMap(listeningPorts));
  }

  async reopenLog(id: string): Promise<void> {
    await this.#call(rs.reopenContainerLog, { containerId: id }, readMs);
  }

  async stats(signal?: AbortSignal): Promise<ContainerUsage[]> {
    const { stats } = await this.#call(rs.listContainerStats, { filter: undefined }, readMs, signal);
    // Containers that have ended are listed, too, with nothing in them.
    return stats.flatMap(({ attributes, cpu, memory }): ContainerUsage[] => {
      if (cpu?.usageCoreNanoSeconds === undefined) return [];
      return [
        {
          containerId: attributes?.id ?? '',
          labels: attributes?.labels ?? {},
          timestampMs: convert.millis(cpu.timestamp),
          cpuNanoseconds: cpu.usageCoreNanoSeconds.value,
          memoryWorkingSetBytes: memory?.workingSetBytes?.value ?? 0n,
        },
      ];
    });
  }

  close(): void {
    this.#client.close();
  }

  async #containerStatus(id: string, verbose: boolean, signal?: AbortSignal) {
    const { status, info } = await this.#call(rs.containerStatus, { containerId: id, verbose }, readMs, signal);
    if (!status) throw new ApiError('NotFound', `container ${id} has no status`);
    return { status, info };
  }

  #call<Request, Response>(
    method: Unary<Request, Response>,
    request: Request,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<Response> {
    return unary(this.#client, method, request, { timeoutMs, signal });
  }
}

function spec(image: string): cri.ImageSpec {
  return { image, annotations: {} };
}

/** Of the first process, in what containerd adds when asked to be verbose: JSON of its own. */
function processId(info: Record<string, string>, what: string): number {
  const { pid } = JSON.parse(info['info'] ?? '{}') as { pid?: number };
  if (!pid) throw new ApiError('BadRequest', `${what} does not run`);
  return pid;
}

/** The namespace in which containerd's CRI plugin keeps its containers. */
function containerdNamespace(): Metadata {
  const metadata = new Metadata();
  metadata.set('containerd-namespace', 'k8s.io');
  return metadata;
}

async function gone(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isApiError(error, 'NotFound')) throw error;
  }
}
