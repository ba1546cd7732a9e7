import { ApiError } from '@navarch/machinery';
import type { Store } from '@navarch/store';

/** One process' way to the store: `sever` ends what goes over it, as the end of the process would. */
export function connectStore(store: Store): { readonly store: Store; readonly sever: () => void } {
  const severed = new AbortController();
  const gone = () => new ApiError('Unavailable', 'this process was killed');
  const through = async <T>(call: () => Promise<T>): Promise<T> => {
    if (severed.signal.aborted) throw gone();
    const answer = await call();
    if (severed.signal.aborted) throw gone();
    return answer;
  };
  return {
    store: {
      get: (key, options) => through(() => store.get(key, options)),
      list: (prefix, options) => through(() => store.list(prefix, options)),
      revision: (signal) => through(() => store.revision(signal)),
      commit: (transaction, signal) => through(() => store.commit(transaction, signal)),
      compact: (revision, signal) => through(() => store.compact(revision, signal)),
      async *watch(prefix, options) {
        const signal = AbortSignal.any([options.signal, severed.signal]);
        yield* store.watch(prefix, { ...options, signal });
        if (!options.signal.aborted) throw gone();
      },
      close: async () => {},
    },
    sever: () => severed.abort(),
  };
}
