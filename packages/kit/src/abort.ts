/** Calls `fn` once when `signal` aborts, or at once when it already has. Dispose to stop listening. */
export function onAbort(signal: AbortSignal, fn: () => void): Disposable {
  if (signal.aborted) {
    fn();
    return { [Symbol.dispose]: () => {} };
  }
  signal.addEventListener('abort', fn, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', fn) };
}

/** `promise`, or a rejection with the signal's reason when that comes first. The work behind `promise` is not stopped. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  using _listener = onAbort(signal, () => aborted.reject(signal.reason));
  return await Promise.race([promise, aborted.promise]);
}

/** A signal that aborts with the first of `signals`, and a controller's `abort` to end it sooner. */
export function linkSignals(...signals: readonly (AbortSignal | undefined)[]): {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
} {
  const own = new AbortController();
  const given = signals.filter((signal) => signal !== undefined);
  return { signal: AbortSignal.any([own.signal, ...given]), abort: (reason) => own.abort(reason) };
}

/** Resolves when `signal` aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    onAbort(signal, resolve);
  });
}

/** `promise`, or an Error(`message`) when it takes longer than `ms`. The work behind `promise` is not stopped. */
export async function withDeadline<T>(promise: Promise<T>, ms: number, message: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timeout = setTimeout(() => late.reject(new Error(message)), ms);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timeout);
  }
}
