import { NatsBus } from '@navarch/bus';
import { createLogger } from '@navarch/kit';
import { ChangeBatch, FeedBookmark } from '@navarch/proto';
import { setTimeout as sleep } from 'node:timers/promises';
import { pod } from '../pods.ts';
import { MomentLog, type Moments, nowMs } from '../moments.ts';

export interface BarePublisher {
  readonly nats: string;
  readonly perSecond: number;
  readonly seconds: number;
}

/** As the api's turns while changes go on and on. */
const turnMs = 20;

/** Publishes what the api would at such a pace of writes, with nothing behind it: what NATS itself makes of it. */
export default async function publish({ nats, perSecond, seconds }: BarePublisher): Promise<Moments> {
  const logger = createLogger({ name: 'bench', level: 'warn' });
  const bus = NatsBus.connect({ servers: [nats], name: 'publisher', logger });
  while (!bus.connected) await sleep(10);
  const log = new MomentLog();
  const startedMs = nowMs();
  let [sent, revision] = [0, 0n];
  while (sent < perSecond * seconds) {
    const due = Math.min(perSecond * seconds, Math.floor(((nowMs() - startedMs) * perSecond) / 1000));
    const events = Array.from({ length: due - sent }, () => ({ type: 1 as const, resource: pod }));
    if (events.length > 0) {
      const previous = revision++;
      const message = ChangeBatch.encode({ revision, previous, events }).finish();
      for (const _ of events) log.add(Number(revision));
      bus.publish('navarch.changes.pods._', message);
      const heads = { 'navarch.changes.pods._': revision };
      bus.publish('navarch.bookmarks', FeedBookmark.encode({ previous, revision, heads }).finish());
      sent = due;
    }
    await sleep(turnMs);
  }
  await bus.close();
  return log.moments();
}
