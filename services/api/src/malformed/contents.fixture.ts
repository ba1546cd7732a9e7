/** For tests: what a store holds. */
import type { Entry, Store } from '@navarch/store';

/** Everything that is kept, but for what the api itself keeps up to date. */
export async function contents(store: Store): Promise<readonly Entry[]> {
  const { entries } = await store.list('/');
  return entries.filter(({ key }) => !key.includes('/leases/'));
}
