import type { Clock } from '@navarch/kit';
import { onAbort } from '@navarch/kit';
import { ApiError } from '@navarch/machinery';
import type { Exchange, Filter } from '../http/exchange.ts';
import { isTrue } from '../routes/target.ts';
import { FairShares, type ShareLimits } from './fair-shares.ts';

export interface FairnessOptions extends ShareLimits {
  /** So long a request waits for its place. */
  readonly waitMs: number;
  readonly clock: Clock;
  readonly shares?: FairShares<() => void>;
}

export const usualShares: ShareLimits = { inFlight: 400, queuedPerUser: 100, queued: 2_000 };

/**
 * At most so many requests at once, shared fairly between users; the others wait a while, and what is too much is told to come
 * again later (429). What lasts as long as its client likes does not count.
 */
export function fairnessFilter(options: FairnessOptions): Filter {
  const { clock, waitMs, shares = new FairShares<() => void>(options) } = options;
  return async (exchange, next) => {
    if (isLongRunning(exchange)) return await next();
    const { user } = exchange.identity;
    const start = Promise.withResolvers<void>();
    const resolve = start.resolve;
    const what = shares.arrive(user, resolve);
    if (what === 'refuse') throw tooMany('too many requests wait already');
    if (what === 'wait') await waited(exchange, start, () => shares.leave(user, resolve), { clock, waitMs });
    try {
      await next();
    } finally {
      shares.done(user)?.();
    }
  };
}

/** Waits for the place; throws once the wait is over without one. */
async function waited(
  { signal }: Exchange,
  start: PromiseWithResolvers<void>,
  leave: () => boolean,
  { clock, waitMs }: Pick<FairnessOptions, 'clock' | 'waitMs'>,
): Promise<void> {
  // Whoever has been given a place meanwhile takes it, and gives it back soon.
  const giveUp = (error: unknown) => {
    if (leave()) start.reject(error);
  };
  using _abort = onAbort(signal, () => giveUp(signal.reason));
  using _late = clock.timer(waitMs, () => giveUp(tooMany(`no place became free within ${waitMs} ms`)));
  await start.promise;
}

function tooMany(why: string): ApiError {
  const message = `too many requests, please try again later: ${why}`;
  return new ApiError('TooManyRequests', message, { retryAfterSeconds: 1 });
}

const streams = new Set(['exec', 'attach', 'portforward', 'proxy']);
const probes = new Set(['/healthz', '/livez', '/readyz']);

/** Source: what an apiserver counts as long-running. Probes, which are answered from memory, don't count either. */
export function isLongRunning({ target, query }: Pick<Exchange, 'target' | 'query'>): boolean {
  if (target.type === 'path') return probes.has(target.path);
  const { verb, subresource } = target;
  return verb === 'watch' || streams.has(subresource) || (subresource === 'log' && isTrue(query.get('follow')));
}
