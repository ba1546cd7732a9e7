import {
  type handleBidiStreamingCall,
  Metadata,
  type ServerDuplexStream,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { type Clock, type Logger, onAbort } from '@navarch/kit';
import { ApiError, fromErrorDetail, isApiError, toServiceError } from '@navarch/machinery';
import { PlannerMessage, PlannersService, type PlannerTask } from '@navarch/proto';
import { authenticate } from '../access/caller.ts';
import type { CallMetrics } from '../grpc/call-metrics.ts';
import { asApiError, unary } from '../grpc/calls.ts';
import type { Access } from '../pipeline/access.ts';
import { uidFrom } from '../pipeline/uid.ts';
import { firstMessage } from '../sessions/first-frame.ts';
import type { SessionRegistry } from '../sessions/session-registry.ts';
import { askReplica } from './ask-replica.ts';

/** How long a scheduler may take to say that it is there. */
const helloMs = 10_000;
/** More questions than this don't wait for a scheduler. */
const mostWaiting = 32;
/** What stands before the names of these sessions in the registry; no node has such a name. */
const plannerNames = '@planner/';

type Call = ServerDuplexStream<PlannerMessage, PlannerTask>;
export type Todo = NonNullable<PlannerTask['todo']>;
export type Answer = Exclude<NonNullable<PlannerMessage['answer']>, { $case: 'error' }>;

export const encodedPlannersService: ServiceDefinition = {
  connect: PlannersService.connect,
  ask: { ...PlannersService.ask, responseSerialize: (encoded: Buffer) => encoded },
};

interface Options {
  readonly access: Access;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: CallMetrics;
  readonly registry: SessionRegistry;
}

interface Session {
  readonly call: Call;
  readonly waiting: Map<bigint, PromiseWithResolvers<Answer>>;
  last: bigint;
}

/** The sessions that schedulers hold open, over which they are asked. */
export class PlannerSessions {
  readonly #options: Options;
  readonly #sessions = new Set<Session>();
  readonly #stopped = new AbortController();

  constructor(options: Options) {
    this.#options = options;
  }

  /** Ends all sessions: schedulers come back to another api, or to this one when it is back. */
  stop(): void {
    this.#stopped.abort(new ApiError('Unavailable', 'the api is stopping; connect again'));
  }

  /**
   * Asks a scheduler, wherever it is connected, to answer once it has seen `revision`. `signal` takes the question back. Throws
   * Unavailable when none is connected, or it goes away; TooManyRequests when many questions wait.
   */
  async ask(todo: Todo, revision: bigint, signal: AbortSignal): Promise<Answer> {
    if (this.#sessions.size > 0) return await this.#askHere(todo, revision, signal);
    for (const address of await this.#options.registry.findAll(plannerNames, signal)) {
      try {
        const { answer } = await askReplica(address, PlannersService.ask, { task: 0n, revision, todo }, signal);
        if (answer !== undefined && answer.$case !== 'error') return answer;
      } catch (error) {
        // That replica may be gone, and what it registered left behind.
        if (!isApiError(error, 'Unavailable')) throw error;
      }
    }
    throw new ApiError('Unavailable', 'no scheduler is connected to the api: it is down, or on its way back');
  }

  /** Asks the scheduler, of several the one that has least to do. */
  async #askHere(todo: Todo, revision: bigint, signal: AbortSignal): Promise<Answer> {
    const [session] = [...this.#sessions].sort((one, other) => one.waiting.size - other.waiting.size);
    if (session === undefined) throw new ApiError('Unavailable', 'no scheduler is connected to this replica');
    const { call, waiting } = session;
    if (waiting.size >= mostWaiting) {
      throw new ApiError('TooManyRequests', `${mostWaiting} questions wait for the scheduler already; ask again later`);
    }
    const task = ++session.last;
    const settle = Promise.withResolvers<Answer>();
    waiting.set(task, settle);
    using _abort = onAbort(signal, () => {
      call.write({ task, revision: 0n, todo: { $case: 'cancel', value: true } });
      settle.reject(signal.reason);
    });
    try {
      call.write({ task, revision, todo });
      return await settle.promise;
    } finally {
      waiting.delete(task);
    }
  }

  handlers(): UntypedServiceImplementation {
    const { access, metrics } = this.#options;
    const connect: handleBidiStreamingCall<PlannerMessage, PlannerTask> = (call) => void this.#run(call);
    const ask = unary('Ask', metrics, async ({ todo, revision }: PlannerTask, signal, { caller }) => {
      access.authorizeComponent(caller, 'ask a scheduler for another replica');
      if (todo === undefined) throw new ApiError('BadRequest', 'the task must say what to do');
      const answer = await this.#askHere(todo, revision, signal);
      return Buffer.from(PlannerMessage.encode({ task: 0n, answer }).finish());
    });
    return { connect, ask };
  }

  async #run(call: Call): Promise<void> {
    const { metrics } = this.#options;
    const done = metrics.started('ConnectPlanner', { timed: false });
    const cancelled = new AbortController();
    call.on('cancelled', () => cancelled.abort(new ApiError('Cancelled', 'the scheduler went away')));
    call.on('error', (error) => cancelled.abort(error));
    const signal = AbortSignal.any([cancelled.signal, this.#stopped.signal]);
    try {
      await this.#hold(call, signal);
      done();
    } catch (error) {
      const apiError = asApiError(error, signal);
      done(apiError);
      call.emit('error', toServiceError(apiError));
    }
  }

  async #hold(call: Call, signal: AbortSignal): Promise<void> {
    const { access, clock, logger, registry } = this.#options;
    access.authorizeComponent(authenticate(call.metadata), 'answer as a scheduler');
    await firstMessage<PlannerMessage>(call, { what: 'the first word', timeoutMs: helloMs, clock, signal });
    const session: Session = { call, waiting: new Map(), last: 0n };
    const ended = Promise.withResolvers<void>();
    const held = new AbortController();
    const registered = registry.hold(`${plannerNames}${uidFrom(Math.random)}`, held.signal);
    using _abort = onAbort(signal, () => ended.reject(signal.reason));
    call.on('data', (message: PlannerMessage) => hear(session, message));
    call.on('end', () => ended.resolve());
    this.#sessions.add(session);
    // Tells the scheduler that it is known from now on.
    call.sendMetadata(new Metadata());
    logger.info('a scheduler connected');
    call.resume();
    try {
      await ended.promise;
      call.end();
    } finally {
      this.#sessions.delete(session);
      const lost = new ApiError('Unavailable', 'the connection to the scheduler was lost; ask again');
      for (const { reject } of session.waiting.values()) reject(lost);
      logger.info('a scheduler disconnected');
      held.abort();
      await registered;
    }
  }
}

/** An answer that nobody waits for any more is forgotten. */
function hear({ waiting }: Session, { task, answer }: PlannerMessage): void {
  const settle = waiting.get(task);
  if (settle === undefined || answer === undefined) return;
  if (answer.$case === 'error') settle.reject(fromErrorDetail(answer.value));
  else settle.resolve(answer);
}
