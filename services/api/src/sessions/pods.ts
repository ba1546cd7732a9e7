import type { handleBidiStreamingCall, handleServerStreamingCall, UntypedServiceImplementation } from '@grpc/grpc-js';
import { pod as podKind } from '@navarch/kinds';
import { type Clock, onAbort } from '@navarch/kit';
import { ApiError, toServiceError } from '@navarch/machinery';
import type { LogsRequest, Pod, PodSpec, StreamFrame } from '@navarch/proto';
import type { CallMetrics } from '../grpc/call-metrics.ts';
import { asApiError } from '../grpc/calls.ts';
import { authenticate } from '../access/caller.ts';
import type { Access } from '../pipeline/access.ts';
import { describe, notFound } from '../read/resource-name.ts';
import type { Sources } from '../read/source.ts';
import { decodeFrame, encodeFrame, type FrameStream } from './frames.ts';
import { firstMessage } from './first-frame.ts';
import type { NodeSessions } from './node-sessions.ts';
import { type ClientCall, isDuplex, pump, type PodRequest as Request } from './pump.ts';
import { carryToReplica, isCarried } from './replica-call.ts';
import type { SessionRegistry } from './session-registry.ts';

const firstFrameMs = 10_000;
/** grpc-js reports a stream that was cut off as ended first, and a moment later, seen as 2 ms, as cancelled. */
const cutOffMs = 20;

interface PodsParts {
  readonly access: Access;
  readonly sources: Sources;
  readonly sessions: NodeSessions;
  readonly registry: SessionRegistry;
  readonly clock: Clock;
  readonly metrics: CallMetrics;
}

/** Carries logs and what a Pod's programs are connected to, to the node that runs the Pod. */
export function podsHandlers(parts: PodsParts): UntypedServiceImplementation {
  const logs: handleServerStreamingCall<LogsRequest, Buffer> = (call) =>
    void run('Logs', call, parts.metrics, async (signal) => {
      checkLogs(call.request);
      const { nodeName, container } = await locate(parts, call, call.request, 'log', signal);
      await carry(parts, call, { $case: 'logs', value: { ...call.request, container } }, nodeName, signal);
    });
  return {
    logs,
    exec: duplex(parts, 'Exec', async (call, first, signal) => {
      if (first?.$case !== 'exec') throw new ApiError('BadRequest', 'the first frame must be exec');
      if (first.value.command.length === 0) throw new ApiError('BadRequest', 'command must name a program');
      const { nodeName, container } = await locate(parts, call, first.value, 'exec', signal);
      return { nodeName, request: { $case: 'exec', value: { ...first.value, container } } };
    }),
    attach: duplex(parts, 'Attach', async (call, first, signal) => {
      if (first?.$case !== 'attach') throw new ApiError('BadRequest', 'the first frame must be attach');
      const { nodeName, container } = await locate(parts, call, first.value, 'attach', signal);
      return { nodeName, request: { $case: 'attach', value: { ...first.value, container } } };
    }),
    portForward: duplex(parts, 'PortForward', async (call, first, signal) => {
      if (first?.$case !== 'portForward') throw new ApiError('BadRequest', 'the first frame must be port_forward');
      const { nodeName } = await locate(parts, call, first.value, 'portforward', signal);
      return { nodeName, request: first };
    }),
  };
}

/** A call whose first frame says what it is about, and whose frames go both ways. */
function duplex(
  parts: PodsParts,
  method: string,
  meaning: (
    call: ClientCall,
    first: StreamFrame['frame'],
    signal: AbortSignal,
  ) => Promise<{ nodeName: string; request: Request }>,
): handleBidiStreamingCall<Buffer, Buffer> {
  const { clock, metrics } = parts;
  const what = 'the frame that says what to do';
  return (call) =>
    void run(method, call, metrics, async (signal) => {
      const first = await firstMessage<Buffer>(call, { what, timeoutMs: firstFrameMs, clock, signal });
      const { nodeName, request } = await meaning(call, decodeFrame(first), signal);
      await carry(parts, call, request, nodeName, signal);
    });
}

function checkLogs({ tailLines, sinceSeconds, sinceTime, limitBytes }: LogsRequest): void {
  const refuse = (message: string) => {
    throw new ApiError('BadRequest', message);
  };
  if (tailLines !== undefined && tailLines < 0) refuse('tail_lines must be 0 or more');
  if (sinceSeconds !== undefined && sinceSeconds < 1) refuse('since_seconds must be 1 or more');
  if (limitBytes !== undefined && limitBytes < 1n) refuse('limit_bytes must be 1 or more');
  if (sinceTime === '') return;
  if (Number.isNaN(Date.parse(sinceTime))) refuse(`since_time "${sinceTime}" must be a time as in RFC 3339`);
  if (sinceSeconds !== undefined) refuse('since_time and since_seconds exclude each other');
}

async function run(
  method: string,
  call: ClientCall,
  metrics: CallMetrics,
  handle: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const done = metrics.started(method, { timed: false });
  const cancelled = new AbortController();
  call.on('cancelled', () => cancelled.abort(new ApiError('Cancelled', 'the caller gave up')));
  try {
    await handle(cancelled.signal);
    done();
    call.end();
  } catch (error) {
    const apiError = asApiError(error, cancelled.signal);
    done(apiError);
    call.emit('error', toServiceError(apiError));
  }
}

/** To the node's agent when its session is here, else to the replica that has it. */
async function carry(
  { sessions, registry }: PodsParts,
  call: ClientCall,
  request: Request,
  nodeName: string,
  signal: AbortSignal,
): Promise<void> {
  if (!sessions.has(nodeName) && !isCarried(call)) {
    const address = await registry.find(nodeName, signal);
    if (address !== undefined) return await carryToReplica(address, call, request, nodeName, signal);
  }
  const agent = await sessions.open(nodeName, signal);
  await carryToAgent(agent, call, request, nodeName, signal);
}

/** Asks the agent, and passes its answer on until it ends. The agent's stream is ended with the call, and the other way round. */
async function carryToAgent(
  agent: FrameStream,
  call: ClientCall,
  request: Request,
  nodeName: string,
  signal: AbortSignal,
): Promise<void> {
  const ended = Promise.withResolvers<void>();
  const lost = () => ended.reject(new ApiError('Unavailable', `the connection to node "${nodeName}" was lost`));
  using _abort = onAbort(signal, () => ended.reject(signal.reason));
  agent.on('end', () => setTimeout(() => (agent.cancelled ? lost() : ended.resolve()), cutOffMs));
  agent.on('cancelled', lost);
  agent.on('error', lost);
  agent.write(encodeFrame(request));
  using _output = pump(agent, call);
  using _input = isDuplex(call) ? pump(call, agent) : undefined;
  try {
    await ended.promise;
    agent.end();
  } catch (error) {
    agent.emit('error', toServiceError(new ApiError('Cancelled', 'the caller gave up', { cause: error })));
    throw error;
  }
}

/** The node and the container that a request means. Without a container in it, it means the whole Pod. */
async function locate(
  { sources, access }: PodsParts,
  { metadata }: ClientCall,
  { namespace, name, container }: { readonly namespace: string; readonly name: string; readonly container?: string },
  subresource: 'log' | 'exec' | 'attach' | 'portforward',
  signal: AbortSignal,
): Promise<{ nodeName: string; container: string }> {
  if (namespace === '' || name === '')
    throw new ApiError('BadRequest', 'the request must name the namespace and the pod');
  const source = sources.of(podKind);
  await source.fresh(signal);
  const verb = subresource === 'log' ? 'get' : 'create';
  access.authorize(authenticate(metadata), { verb, kind: podKind, namespace, name, subresource });
  const cached = source.cache.get(podKind, namespace, name);
  if (cached === undefined) throw notFound(podKind, name);
  const what = describe(podKind, namespace, name);
  const { spec } = cached.object as Pod; // the cache decodes a kind's objects with its message
  const chosen = container === undefined ? '' : chooseContainer(spec, container, what);
  if (!spec?.nodeName) throw new ApiError('BadRequest', `${what} is on no node yet`);
  return { nodeName: spec.nodeName, container: chosen };
}

function chooseContainer(spec: PodSpec | undefined, wanted: string, what: string): string {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = spec ?? {};
  const names = [...containers, ...initContainers, ...ephemeralContainers].map((each) => each.name);
  if (wanted === '' && containers.length > 1) {
    throw new ApiError('BadRequest', `${what} has several containers; choose one of ${names.join(', ')}`);
  }
  if (wanted !== '' && !names.includes(wanted)) {
    throw new ApiError('BadRequest', `${what} has no container "${wanted}"; choose one of ${names.join(', ')}`);
  }
  return wanted || (names[0] ?? '');
}
