import { NatsBus } from '@navarch/bus';
import { createLogger } from '@navarch/kit';
import type { ChildContext } from '../../../frame/child.ts';
import { percentile } from '../../../frame/samples.ts';
import { nowMs, readSentAt } from '../sent-at.ts';
import { eachField } from '../wire-fields.ts';

export interface FeedWatchers {
  readonly nats: string;
  readonly watchers: number;
}

export interface FeedResult {
  /** The fewest events that any watcher had. */
  readonly fewestEvents: number;
  /** Batches that did not lead on from the one before. */
  readonly holes: number;
  /** From the beginning of a write to its event at a watcher. */
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly messages: number;
}

/** Listens as many times over as there are watchers, each of which gets every message of its own. */
export default async function watch(
  { nats, watchers }: FeedWatchers,
  { ready, stopped }: ChildContext,
): Promise<FeedResult> {
  const bus = NatsBus.connect({
    servers: [nats],
    name: 'watchers',
    logger: createLogger({ name: 'bench', level: 'warn' }),
  });
  const eventsOfEach = Array.from({ length: watchers }, () => 0);
  const tookMsOfEach: number[] = [];
  let [holes, messages] = [0, 0];
  const one = async (watcher: number) => {
    let known: number | undefined;
    for await (const { payload } of bus.subscribe('navarch.changes.pods._', { buffer: 4096, signal: stopped })) {
      // ChangeBatch: revision, previous, events.
      const batch = [0, 0, 0, 0];
      eachField(payload, (field, value) => (batch[field] = field === 3 ? (batch[3] ?? 0) + 1 : value));
      const [, revision, previous, events = 0] = batch;
      // What a batch's oldest event took counts for all of it.
      const tookMs = nowMs() - readSentAt(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength));
      for (let i = 0; i < events; i++) tookMsOfEach.push(tookMs);
      eventsOfEach[watcher] = (eventsOfEach[watcher] ?? 0) + events;
      messages++;
      if (known !== undefined && previous !== known) holes++;
      known = revision;
    }
  };
  const bookmarks = async () => {
    // Every watcher hears these, too.
    for await (const _ of bus.subscribe('navarch.bookmarks', { buffer: 4096, signal: stopped })) messages++;
  };
  const all = Array.from({ length: watchers }, async (_, watcher) => await Promise.all([one(watcher), bookmarks()]));
  while (!bus.connected) await new Promise((resolve) => setTimeout(resolve, 10));
  ready();
  await Promise.all(all);
  await bus.close();
  return {
    fewestEvents: Math.min(...eventsOfEach),
    holes,
    medianMs: percentile(tookMsOfEach, 0.5),
    p99Ms: percentile(tookMsOfEach, 0.99),
    messages,
  };
}
