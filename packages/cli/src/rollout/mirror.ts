import type { WatchOptions } from '@navarch/client';
import type { KindDefinition } from '@navarch/kinds';
import { Backoff, retry } from '@navarch/kit';
import { ApiError, isApiError, keyOf, type KubeObject, type Live } from '@navarch/machinery';
import type { Session } from '../session.ts';

/** Keeps `objects` what the selector chooses, until the signal is aborted. An api that is away is waited for. */
export async function mirror<T extends KubeObject>(
  session: Session,
  kind: KindDefinition<T>,
  selector: Omit<WatchOptions, 'after'>,
  objects: Map<string, Live<T>>,
  changed: () => void,
): Promise<void> {
  const backoff = new Backoff({ baseMs: 200, maxMs: 5_000 });
  const watchOnce = async (): Promise<void> => {
    let isFirst = true;
    for await (const { events } of session.client().watch(kind, selector)) {
      if (isFirst) objects.clear();
      isFirst = false;
      for (const { type, object } of events) {
        if (type === 'deleted') objects.delete(keyOf(object));
        else objects.set(keyOf(object), object);
      }
      changed();
    }
    throw new ApiError('Unavailable', 'the api ended the watch');
  };
  try {
    const onError = (error: unknown) => {
      if (!isApiError(error, 'Unavailable', 'Expired')) throw error;
    };
    await retry(watchOnce, { backoff, signal: selector.signal, onError });
  } catch (error) {
    if (!selector.signal.aborted) throw error;
  }
}
