import type { Duplex, Readable, Writable } from 'node:stream';

/**
 * What the agent needs of a container runtime. containerd stands behind it in production (`CriRuntime`), a map in tests
 * (`FakeRuntime`); both pass the suite in `conformance.ts`.
 *
 * Every call can fail with ApiError: 'NotFound' for an id that the runtime doesn't know, 'Unavailable' when the runtime
 * can't be reached. Stopping and removing are idempotent: what is already stopped or gone is success.
 * Times are milliseconds since the epoch.
 */
export interface Runtime {
  version(signal?: AbortSignal): Promise<RuntimeVersion>;

  /** Whether the runtime can run containers, and whether it can connect them. */
  status(signal?: AbortSignal): Promise<RuntimeStatus>;

  /** The image if it is on this machine. */
  imageStatus(image: string, signal?: AbortSignal): Promise<ImageInfo | undefined>;

  /** Fetches the image and returns its reference. Aborting ends the waiting; what was fetched so far stays. */
  pullImage(image: string, options: { auth?: RegistryAuth; signal?: AbortSignal }): Promise<string>;

  listImages(signal?: AbortSignal): Promise<ImageInfo[]>;
  removeImage(image: string, signal?: AbortSignal): Promise<void>;

  /** Makes a sandbox (network, hostname, log directory) and returns its id. On failure nothing usable is left behind. */
  runSandbox(config: SandboxConfig, signal?: AbortSignal): Promise<string>;
  /** Kills what runs in the sandbox and gives its network back. */
  stopSandbox(id: string, signal?: AbortSignal): Promise<void>;
  /** Also removes the sandbox's containers. */
  removeSandbox(id: string, signal?: AbortSignal): Promise<void>;

  createContainer(sandboxId: string, config: ContainerConfig, sandbox: SandboxConfig): Promise<string>;
  startContainer(id: string, signal?: AbortSignal): Promise<void>;
  /** Sends the image's stop signal (TERM), then KILL after the grace period. Resolves once the container has ended. */
  stopContainer(id: string, graceSeconds: number, signal?: AbortSignal): Promise<void>;
  removeContainer(id: string, signal?: AbortSignal): Promise<void>;

  /** Sandboxes that carry all of `labels`, newest first. `ip` is left out: ask `sandboxIp`. */
  listSandboxes(labels: Labels, signal?: AbortSignal): Promise<SandboxInfo[]>;
  /** Containers that carry all of `labels`, newest first, with their full status. */
  listContainers(labels: Labels, signal?: AbortSignal): Promise<ContainerInfo[]>;
  /** Id and state alone of every container and sandbox: one cheap call each. */
  snapshot(signal?: AbortSignal): Promise<RuntimeSnapshot>;
  /** The sandbox's own address; empty when it uses the node's network. */
  sandboxIp(id: string, signal?: AbortSignal): Promise<string>;

  /**
   * A message each time a container or sandbox has ended, as soon as the runtime knows. Lossy: it may miss some across
   * reconnects, so a reader must also take a `snapshot` now and then. Ends by `signal`.
   */
  exits(signal: AbortSignal): AsyncIterable<{ readonly id: string }>;

  /** Runs a command to its end. Past the time limit it is killed and the call fails with ApiError('Timeout'). */
  execSync(id: string, command: readonly string[], options: { timeoutMs: number }): Promise<ExecSyncResult>;

  /** Starts a command with its streams attached. */
  exec(id: string, options: ExecOptions): Promise<ExecProcess>;

  /**
   * Connects to the program of a running container: to what it writes from now on, and with `stdin` to what it reads. Several
   * may be attached at once. The streams end with the container, or with `close`.
   */
  attach(id: string, options: AttachOptions): Promise<Attached>;

  /** The way into the network of a sandbox that is ready. Close it: it may hold a process. */
  network(sandboxId: string): Promise<SandboxNetwork>;

  /** The TCP ports that something listens on, beyond loopback, in the network of a running container. */
  listening(id: string): Promise<ReadonlySet<number>>;

  /** Asks the runtime to open the container's log file anew, after the old one was renamed. */
  reopenLog(id: string): Promise<void>;

  /** What running containers use now. */
  stats(signal?: AbortSignal): Promise<ContainerUsage[]>;

  close(): void;
}

export type Labels = Readonly<Record<string, string>>;

export interface RuntimeVersion {
  readonly name: string;
  readonly version: string;
}

export interface RuntimeStatus {
  readonly runtimeReady: boolean;
  readonly networkReady: boolean;
  /** Why one of them is false. */
  readonly message: string;
}

export interface ImageInfo {
  readonly id: string;
  readonly tags: readonly string[];
  readonly digests: readonly string[];
  readonly sizeBytes: number;
  /** The user that the image runs as: a number, a name, or nothing (root). */
  readonly uid: number | undefined;
  readonly username: string;
}

export interface RegistryAuth {
  readonly username: string;
  readonly password: string;
}

export interface PodIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface SandboxConfig {
  readonly pod: PodIdentity;
  /** Counts the sandboxes of one Pod. */
  readonly attempt: number;
  readonly hostname: string;
  readonly logDirectory: string;
  readonly hostNetwork: boolean;
  readonly privileged: boolean;
  /** Its containers see each other's processes. */
  readonly sharedPid: boolean;
  readonly dns: {
    readonly servers: readonly string[];
    readonly searches: readonly string[];
    readonly options: readonly string[];
  };
  readonly portMappings: readonly PortMapping[];
  readonly labels: Labels;
  readonly annotations: Labels;
}

export interface PortMapping {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly containerPort: number;
  readonly hostPort: number;
  readonly hostIp: string;
}

export interface ContainerConfig {
  readonly name: string;
  /** Counts the containers of one name in one Pod. */
  readonly attempt: number;
  readonly image: string;
  /** Empty: the image's own. */
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDir: string;
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly mounts: readonly Mount[];
  readonly labels: Labels;
  readonly annotations: Labels;
  /** Relative to the sandbox's log directory. */
  readonly logPath: string;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  readonly resources: ContainerResources;
  readonly security: ContainerSecurity;
}

export interface Mount {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly readonly: boolean;
  readonly propagation: 'None' | 'HostToContainer' | 'Bidirectional';
}

/** 0 means that the kernel's default stands. */
export interface ContainerResources {
  readonly cpuShares: number;
  readonly cpuPeriodUs: number;
  readonly cpuQuotaUs: number;
  readonly memoryLimitBytes: number;
  readonly oomScoreAdj: number;
}

export interface ContainerSecurity {
  readonly privileged: boolean;
  readonly runAsUser: number | undefined;
  readonly runAsGroup: number | undefined;
  readonly supplementalGroups: readonly number[];
  readonly readonlyRootfs: boolean;
  readonly noNewPrivileges: boolean;
  readonly addCapabilities: readonly string[];
  readonly dropCapabilities: readonly string[];
  readonly hostNetwork: boolean;
  readonly pid: PidNamespace;
}

/** Whose processes a container sees: its own, those of the whole Pod, or those of one other container. */
export type PidNamespace =
  | { readonly type: 'own' | 'pod' }
  | { readonly type: 'container'; readonly containerId: string };

export interface SandboxInfo {
  readonly id: string;
  readonly pod: PodIdentity;
  readonly attempt: number;
  readonly ready: boolean;
  readonly createdAtMs: number;
  readonly labels: Labels;
  readonly annotations: Labels;
}

export type ContainerState = 'created' | 'running' | 'exited' | 'unknown';

export interface ContainerInfo {
  readonly id: string;
  readonly sandboxId: string;
  readonly name: string;
  readonly attempt: number;
  readonly state: ContainerState;
  readonly createdAtMs: number;
  /** 0 until it starts. */
  readonly startedAtMs: number;
  /** 0 until it ends. */
  readonly finishedAtMs: number;
  readonly exitCode: number;
  /** The runtime's word for why it ended: Completed, Error, OOMKilled. */
  readonly reason: string;
  readonly message: string;
  readonly image: string;
  readonly imageRef: string;
  readonly logPath: string;
  readonly labels: Labels;
  readonly annotations: Labels;
}

export interface RuntimeSnapshot {
  readonly sandboxes: readonly SandboxInfo[];
  readonly containers: readonly {
    readonly id: string;
    readonly sandboxId: string;
    readonly state: ContainerState;
    readonly labels: Labels;
  }[];
}

export interface ExecSyncResult {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

export interface ExecOptions {
  readonly command: readonly string[];
  readonly tty: boolean;
  readonly stdin: boolean;
}

export interface ExecProcess {
  /** Undefined when no stdin was asked for. Ending it closes the process's standard input. */
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  /** Undefined with a tty: a terminal has one stream. */
  readonly stderr: Readable | undefined;
  resize(columns: number, rows: number): Promise<void>;
  kill(signal: number): Promise<void>;
  /** Resolves once the process has ended and its output was passed on. */
  readonly exit: Promise<{ readonly exitCode: number }>;
}

export interface AttachOptions {
  /** The container must have stdin. */
  readonly stdin: boolean;
  /** The container has a terminal: must be as it was made. */
  readonly tty: boolean;
}

export interface Attached {
  /** Ending it ends the container's own standard input when it was made with stdinOnce and has no terminal; else it detaches. */
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  /** Undefined with a tty. */
  readonly stderr: Readable | undefined;
  resize(columns: number, rows: number): Promise<void>;
  /** Detaches. The program goes on. */
  close(): void;
}

/** The network that the containers of a sandbox share. */
export interface SandboxNetwork {
  /**
   * A TCP connection to what listens on the sandbox's loopback: at 127.0.0.1, or where that refuses at ::1. Both directions
   * end for themselves. Throws ApiError('BadRequest') that says why, as in "connection refused".
   */
  dial(port: number): Promise<Duplex>;
  /** Connections that are open stay open. */
  close(): void;
}

export interface ContainerUsage {
  readonly containerId: string;
  readonly labels: Labels;
  readonly timestampMs: number;
  /** CPU time used since the container started. */
  readonly cpuNanoseconds: bigint;
  readonly memoryWorkingSetBytes: bigint;
}
