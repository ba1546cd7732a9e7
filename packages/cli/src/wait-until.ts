import type { KindDefinition } from '@navarch/kinds';
import { Backoff, retry } from '@navarch/kit';
import { ApiError, isApiError, type KubeObject, type Live } from '@navarch/machinery';
import type { Session } from './session.ts';

/**
 * Watches one object until `done` holds of it; undefined stands for an object that is not there. True once it holds,
 * false after `timeoutMs`. An api that goes away meanwhile is waited for. Throws what `done` throws, and when Ctrl-C comes
 * first.
 */
export async function waitUntil<T extends KubeObject>(
  session: Session,
  kind: KindDefinition<T>,
  selector: { readonly namespace: string; readonly fieldSelector: string },
  done: (object: Live<T> | undefined) => boolean,
  timeoutMs?: number,
): Promise<boolean> {
  const timeout = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const signal = timeout === undefined ? session.io.signal : AbortSignal.any([session.io.signal, timeout]);
  const backoff = new Backoff({ baseMs: 200, maxMs: 5_000 });
  let seen = false;
  const watchOnce = async (): Promise<boolean> => {
    let object: Live<T> | undefined;
    for await (const { initial, events } of session.client().watch(kind, { ...selector, signal })) {
      seen = true;
      for (const event of events) {
        object = event.type === 'deleted' ? undefined : event.object;
        if (object !== undefined && done(object)) return true;
      }
      // Absence is known only once everything there was has been sent.
      if (!initial && done(object)) return true;
    }
    throw new ApiError('Unavailable', 'the api ended the watch');
  };
  try {
    return await retry(watchOnce, {
      backoff,
      signal,
      onError: (error) => {
        // One that was never there is no matter of waiting.
        if (!seen || !isApiError(error, 'Unavailable', 'Expired')) throw error;
        if (backoff.failures === 1) session.warn(`${error.message}; waiting for it\n`);
      },
    });
  } catch (error) {
    if (session.io.signal.aborted || timeout?.aborted !== true) throw error;
    return false;
  }
}
