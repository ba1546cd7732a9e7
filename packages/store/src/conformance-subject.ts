import type { Store } from './store.ts';

/** What a test gets: the store, and a prefix that no other test writes under. */
export interface Subject {
  readonly store: Store;
  readonly prefix: string;
}
