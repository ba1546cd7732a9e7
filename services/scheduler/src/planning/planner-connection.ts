import type { ApiClient, PlannerSession } from '@navarch/client';
import { Backoff, type Clock, type Component, type Logger, retry } from '@navarch/kit';
import { ApiError, errorDetail, toApiError } from '@navarch/machinery';
import type { PlannerMessage, PlannerTask } from '@navarch/proto';
import type { Planner } from './planner.ts';

/** More questions than this are not worked on at once: each has a copy of what the scheduler knows. */
const mostAtOnce = 4;

export interface PlannerConnectionOptions {
  readonly client: Pick<ApiClient, 'planning'>;
  readonly planner: Planner;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The scheduler's standing call to the api, over which it is asked what it would do. It dials; nobody dials it. */
export class PlannerConnection implements Component {
  readonly name = 'planner';
  readonly #options: PlannerConnectionOptions;
  #loop: Promise<void> = Promise.resolve();

  constructor(options: PlannerConnectionOptions) {
    this.#options = options;
  }

  async start(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    const backoff = new Backoff({ baseMs: 100, maxMs: 5_000, jitter: 0.5 });
    const onError = (error: unknown, delayMs: number) =>
      logger.debug({ err: error, delayMs }, 'the api asks nothing over this connection any more; connecting again');
    this.#loop = retry((aborting) => this.#hold(aborting, backoff), { backoff, signal, clock, onError }).catch(
      (error: unknown) => {
        if (!signal.aborted) logger.error({ err: error }, 'nobody can ask this scheduler any more');
      },
    );
  }

  async stop(): Promise<void> {
    await this.#loop;
  }

  /** One session, until it breaks. */
  async #hold(signal: AbortSignal, backoff: Backoff): Promise<void> {
    const session = await this.#options.client.planning.connect(signal);
    const running = new Map<bigint, { readonly cancelled: AbortController; readonly work: Promise<void> }>();
    const over = new AbortController();
    try {
      session.send({ task: 0n, answer: undefined });
      for await (const task of session.tasks) {
        backoff.reset();
        if (task.todo?.$case === 'cancel') {
          running.get(task.task)?.cancelled.abort(new ApiError('Cancelled', 'nobody waits for it any more'));
          continue;
        }
        if (running.size >= mostAtOnce) {
          const busy = new ApiError(
            'TooManyRequests',
            `the scheduler works on ${mostAtOnce} questions already; ask again`,
          );
          session.send(failed(task, busy));
          continue;
        }
        const cancelled = new AbortController();
        const work = this.#answer(task, session, AbortSignal.any([signal, over.signal, cancelled.signal]));
        running.set(task.task, { cancelled, work: work.finally(() => running.delete(task.task)) });
      }
    } finally {
      over.abort(new ApiError('Cancelled', 'the session with the api ended'));
      await Promise.all([...running.values()].map(({ work }) => work));
    }
    throw new ApiError('Unavailable', 'the api closed the session');
  }

  /** Never throws: what goes wrong is the answer. */
  async #answer(task: PlannerTask, session: PlannerSession, signal: AbortSignal): Promise<void> {
    try {
      session.send({ task: task.task, answer: await this.#work(task, signal) });
    } catch (error) {
      session.send(failed(task, toApiError(error)));
    }
  }

  async #work({ todo, revision }: PlannerTask, signal: AbortSignal): Promise<PlannerMessage['answer']> {
    const { planner } = this.#options;
    if (todo?.$case === 'explain') {
      return { $case: 'explained', value: await planner.explain(todo.value, revision, signal) };
    }
    if (todo?.$case === 'plan') {
      return { $case: 'planned', value: await planner.plan(todo.value, revision, signal) };
    }
    throw new ApiError('Unimplemented', 'this scheduler is older than the api and does not know what it is asked');
  }
}

function failed({ task }: PlannerTask, error: ApiError): PlannerMessage {
  return { task, answer: { $case: 'error', value: errorDetail(error) } };
}
