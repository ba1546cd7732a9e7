import { systemClock } from '@navarch/kit';
import type { Entry, Store, StoreEvent, Transaction, TransactionResult, WatchBatch } from './store.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const bytes = (text: string) => encoder.encode(text);
export const text = (entry: Entry | undefined) => entry && decoder.decode(entry.value);

export const put = (key: string, value = key): Transaction['ops'][number] => ({
  type: 'put',
  key,
  value: bytes(value),
});
export const remove = (key: string): Transaction['ops'][number] => ({ type: 'delete', key });
export const write = (...ops: Transaction['ops']): Transaction => ({ compare: [], ops });
export const when = (modRevisions: Record<string, bigint>, ...ops: Transaction['ops']): Transaction => ({
  compare: Object.entries(modRevisions).map(([key, modRevision]) => ({ key, modRevision })),
  ops,
});

/** The revision of a write that must succeed. */
export async function committed(result: Promise<TransactionResult>): Promise<bigint> {
  const { committed, revision } = await result;
  if (!committed) throw new Error('the transaction was in conflict');
  return revision;
}

/** An event as one readable line: `7 put a/b=value` or `8 delete a/b`. */
export function line(event: StoreEvent): string {
  if (event.type === 'delete') return `${event.modRevision} delete ${event.key}`;
  return `${event.entry.modRevision} put ${event.entry.key}=${text(event.entry)}`;
}

/** The batches that a watch brings until it has come to `revision`, bookmarks only when they are asked for. */
export async function watched(
  store: Store,
  prefix: string,
  options: { after: bigint; until: bigint; bookmarks?: boolean; onBatch?: () => Promise<void> },
): Promise<WatchBatch[]> {
  const controller = new AbortController();
  using _limit = systemClock.timer(20_000, () => controller.abort());
  const batches: WatchBatch[] = [];
  for await (const batch of store.watch(prefix, { after: options.after, bookmarkMs: 100, signal: controller.signal })) {
    if (batch.events.length > 0 || options.bookmarks) batches.push(batch);
    if (batch.revision >= options.until) return batches;
    await options.onBatch?.();
  }
  throw new Error(`the watch didn't come to revision ${options.until} in time; it brought ${batches.length} batches`);
}

export const lines = (batches: readonly WatchBatch[]) => batches.flatMap(({ events }) => events.map(line));
