import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Client, Metadata } from '@grpc/grpc-js';
import { ApiError, isApiError } from '@navarch/machinery';
import { containerd } from '@navarch/proto';
import { unary } from './grpc.ts';
import type { ExecOptions, ExecProcess } from './runtime.ts';

const { TasksService: tasks } = containerd;
const callMs = 30_000;
/** How long output may still come after the process's end: a child that it left behind can hold the streams open. */
const drainMs = 2_000;
const processType = 'types.containerd.io/opencontainers/runtime-spec/1/Process';

/**
 * Runs a process in a container over containerd's task API, its streams over FIFOs. `info` is the container's verbose CRI
 * status, whose OCI process (user, environment, capabilities, working directory) the new one takes after.
 */
export async function startExec(
  client: Client,
  metadata: Metadata,
  stateDir: string,
  containerId: string,
  info: string,
  options: ExecOptions,
): Promise<ExecProcess> {
  const execId = `exec-${randomUUID()}`;
  const dir = join(stateDir, 'exec', execId);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const target = { containerId, execId };
  const call = { timeoutMs: callMs, metadata };
  const streams = await openStreams(dir, options);
  try {
    await unary(
      client,
      tasks.exec,
      {
        ...target,
        ...streams.paths,
        terminal: options.tty,
        spec: { typeUrl: processType, value: Buffer.from(JSON.stringify(processSpec(info, options))) },
      },
      call,
    );
    await unary(client, tasks.start, target, call);
  } catch (error) {
    streams.destroy();
    await rm(dir, { recursive: true, force: true });
    await unary(client, tasks.deleteProcess, target, call).catch(() => undefined);
    throw execError(error, options);
  }
  // From here on the runtime holds its ends open, and the end of output means that it let go of them.
  streams.started();

  const exit = (async () => {
    try {
      const { exitStatus } = await unary(client, tasks.wait, target, { timeoutMs: 0, metadata });
      await streams.drained(drainMs);
      return { exitCode: exitStatus };
    } finally {
      streams.destroy();
      await rm(dir, { recursive: true, force: true });
      await unary(client, tasks.deleteProcess, target, call).catch((error: unknown) => {
        if (!isApiError(error, 'NotFound', 'Unavailable')) throw error;
      });
    }
  })();
  exit.catch(() => undefined);

  streams.stdin?.once('finish', () => {
    // The process sees the end once nobody holds a writing end: neither this one nor the shim's own.
    streams.stdin?.destroy();
    unary(client, tasks.closeIo, { ...target, stdin: true }, call).catch(() => undefined);
  });
  return {
    stdin: streams.stdin,
    stdout: streams.stdout,
    stderr: streams.stderr,
    exit,
    resize: async (width, height) => {
      await unary(client, tasks.resizePty, { ...target, width, height }, call);
    },
    kill: async (signal) => {
      await unary(client, tasks.kill, { ...target, signal, all: false }, call).catch((error: unknown) => {
        if (!isApiError(error, 'NotFound')) throw error;
      });
    },
  };
}

async function openStreams(dir: string, options: ExecOptions) {
  const paths = {
    stdin: options.stdin ? join(dir, 'stdin') : '',
    stdout: join(dir, 'stdout'),
    stderr: options.tty ? '' : join(dir, 'stderr'),
  };
  await promisify(execFile)('mkfifo', ['-m', '600', ...Object.values(paths).filter((path) => path !== '')]);
  const { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants;
  // Without a writer a FIFO reads as ended, so one is held until the runtime has opened its own.
  const holders: number[] = [];
  const reader = (path: string) => {
    const socket = new Socket({ fd: openSync(path, O_RDONLY | O_NONBLOCK), readable: true, writable: false });
    holders.push(openSync(path, O_WRONLY | O_NONBLOCK));
    return socket;
  };
  const stdout = reader(paths.stdout);
  const stderr = paths.stderr === '' ? undefined : reader(paths.stderr);
  // A FIFO without a reader can't be opened for writing only; not readable here, or we would take input from the program.
  const openStdin = () =>
    new Socket({ fd: openSync(paths.stdin, O_RDWR | O_NONBLOCK), readable: false, writable: true });
  const stdin = paths.stdin === '' ? undefined : openStdin();
  const all = [stdin, stdout, stderr].filter((stream) => stream !== undefined);
  const ended = Promise.all(
    [stdout, stderr]
      .filter((stream) => stream !== undefined)
      .map((stream) => new Promise((resolve) => stream.once('close', resolve))),
  );
  const started = () => {
    for (const fd of holders.splice(0)) closeSync(fd);
  };
  return {
    paths,
    stdin,
    stdout,
    stderr,
    started,
    drained: async (timeoutMs: number) => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise((resolve) => (timer = setTimeout(resolve, timeoutMs)));
      await Promise.race([ended, late]);
      clearTimeout(timer);
    },
    destroy: () => {
      started();
      for (const stream of all) stream.destroy();
    },
  };
}

function processSpec(info: string, options: ExecOptions): Record<string, unknown> {
  // containerd's own JSON; the process inside is passed on as it is, but for what the exec sets.
  const { runtimeSpec } = JSON.parse(info) as { runtimeSpec?: { process?: Record<string, unknown> } };
  if (!runtimeSpec?.process) throw new ApiError('InternalError', 'the runtime does not tell how the container runs');
  const { terminal: _, consoleSize: __, ...base } = runtimeSpec.process;
  return { ...base, args: options.command, ...(options.tty && { terminal: true }) };
}

function execError(error: unknown, options: ExecOptions): unknown {
  if (!(error instanceof ApiError)) return error;
  const notFound = /executable file not found|no such file or directory/.test(error.message);
  if (!notFound) return error;
  return new ApiError('BadRequest', `${options.command[0]}: not found in the container`, { cause: error });
}
