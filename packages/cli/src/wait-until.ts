import type { KindDefinition } from '@navarch/kinds';
import type { KubeObject, Live } from '@navarch/machinery';
import type { Session } from './session.ts';

/**
 * Watches one object until `done` holds of it; undefined stands for an object that is not there. True once it holds,
 * false after `timeoutMs`. Throws when Ctrl-C comes first.
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
  let object: Live<T> | undefined;
  try {
    for await (const { initial, events } of session.client().watch(kind, { ...selector, signal })) {
      for (const event of events) {
        object = event.type === 'deleted' ? undefined : event.object;
        // Absence is known only once everything there was has been sent.
        if (object !== undefined && done(object)) return true;
      }
      if (!initial && done(object)) return true;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  if (session.io.signal.aborted) throw session.io.signal.reason;
  return false;
}
