import type { Client, InformerSet, WriteOutcome } from '@navarch/client';
import type { EventRecorder, Term } from '@navarch/controller';
import { Backoff, type Clock, type Logger, retry } from '@navarch/kit';
import { ApiError, isApiError } from '@navarch/machinery';
import type { ClusterState } from './cluster-state.ts';
import type { SchedulerMetrics } from './metrics.ts';
import type { SchedulingQueue } from './queue.ts';

/** How many writes one Transact may carry. */
export const batchSize = 100;
const writeTimeoutMs = 10_000;

/** How often an api is asked again that does not answer. */
export const patience = { baseMs: 100, maxMs: 2_000, jitter: 0.5 } as const;

/** What a scheduler works with: all of its parts share one of each. */
export interface Hands {
  readonly client: Pick<Client, 'get' | 'transact' | 'version'>;
  readonly informers: InformerSet;
  readonly recorder: EventRecorder;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: SchedulerMetrics;
  readonly state: ClusterState;
  readonly queue: SchedulingQueue;
}

/** What goes for each write in a term's name. */
export function writeOptions(term: Term) {
  return { fence: term.fence(), signal: term.signal, timeoutMs: writeTimeoutMs };
}

/** Resolves once the caches show what the api has now. Waits for an api that does not answer. */
export async function caughtUp(
  { client, clock, informers, logger }: Pick<Hands, 'client' | 'clock' | 'informers' | 'logger'>,
  signal: AbortSignal,
): Promise<void> {
  const revision = await retry(async (signal) => (await client.version({ signal })).revision, {
    backoff: new Backoff(patience),
    signal,
    clock,
    onError: (error, delayMs) => logger.warn({ err: error, delayMs }, 'the api does not answer; trying again'),
  });
  await informers.reached(revision, signal);
}

/** Whether a call that failed so may have been carried out all the same: the caches tell, once they show a revision from after it. */
export function mayBeDone(error: unknown): boolean {
  return !isApiError(error) || isApiError(error, 'Unavailable', 'Timeout', 'Cancelled', 'InternalError');
}

type Refused = Extract<WriteOutcome, { ok: false }>;

/** Of an atomic transaction that was refused, the write that is to blame. */
export function guiltyOf(outcomes: readonly WriteOutcome[]): Refused | undefined {
  return outcomes.find((outcome): outcome is Refused => !outcome.ok && outcome.blameless !== true);
}

/** A write that was not done, as an error: another leads, or whatever it is has to be looked at anew. */
export function refusal(error: { readonly reason: string; readonly message: string } | undefined): ApiError {
  return new ApiError(
    error?.reason === 'Fenced' ? 'Fenced' : 'Conflict',
    error?.message ?? 'the api said nothing about it',
  );
}
