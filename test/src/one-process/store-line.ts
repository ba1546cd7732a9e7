import { ApiError } from '@navarch/machinery';
import type { Store } from '@navarch/store';

/** One process' way to a store. */
export interface StoreLine {
  readonly store: Store;
  /** Ends what goes over it, as the end of the process would. */
  readonly sever: () => void;
  /** The next `count` transactions are committed, but nobody is told so. */
  readonly loseAnswers: (count: number) => void;
}

export function connectStore(store: Store): StoreLine {
  const severed = new AbortController();
  let answersToLose = 0;
  const gone = () => new ApiError('Unavailable', 'this process was killed');
  const through = async <T>(call: () => Promise<T>): Promise<T> => {
    if (severed.signal.aborted) throw gone();
    const answer = await call();
    if (severed.signal.aborted) throw gone();
    return answer;
  };
  const commit: Store['commit'] = async (transaction, signal) => {
    const result = await through(() => store.commit(transaction, signal));
    if (answersToLose === 0) return result;
    answersToLose -= 1;
    throw new ApiError('Unavailable', 'the store did not answer in time');
  };
  return {
    store: {
      get: (key, options) => through(() => store.get(key, options)),
      list: (prefix, options) => through(() => store.list(prefix, options)),
      revision: (signal) => through(() => store.revision(signal)),
      commit,
      commitEach: (transactions, signal) => Promise.allSettled(transactions.map((each) => commit(each, signal))),
      compact: (revision, signal) => through(() => store.compact(revision, signal)),
      async *watch(prefix, options) {
        const signal = AbortSignal.any([options.signal, severed.signal]);
        yield* store.watch(prefix, { ...options, signal });
        if (!options.signal.aborted) throw gone();
      },
      close: async () => {},
    },
    sever: () => severed.abort(),
    loseAnswers: (count) => void (answersToLose = count),
  };
}
