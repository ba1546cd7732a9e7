import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import type { ChildContext } from '../../../frame/child.ts';
import { NatsMessages } from '../nats-messages.ts';
import { MomentLog, type Moments } from '../moments.ts';
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
  /** When each watcher had which batch, by the batch's revision. */
  readonly heard: Moments;
  /** The revision of the batch before each batch. */
  readonly previous: ReadonlyMap<number, number>;
  readonly messages: number;
}

const readBytes = 1024 * 1024;
const subscribed = 'PONG';

/**
 * Listens as many times over as there are watchers, each of which gets every message of its own. A thousand watchers are a
 * thousand machines elsewhere: here they must not take the time of what is measured, so this speaks NATS' protocol itself
 * and does no more with a message than to count what is in it.
 */
export default async function watch(
  { nats, watchers }: FeedWatchers,
  { ready, stopped }: ChildContext,
): Promise<FeedResult> {
  const eventsOfEach = Array.from({ length: watchers }, () => 0);
  const knownOfEach: (number | undefined)[] = [];
  const log = new MomentLog();
  const previousOf = new Map<number, number>();
  let [holes, messages] = [0, 0];
  const batch = { revision: 0, previous: 0, events: 0 };
  const onField = (field: number, value: number) => {
    if (field === 1) batch.revision = value;
    else if (field === 2) batch.previous = value;
    else batch.events++;
  };
  const onMessage = (sid: number, payload: Buffer) => {
    messages++;
    // Every watcher hears the bookmarks, too.
    if (sid > watchers) return;
    const watcher = sid - 1;
    batch.events = batch.previous = 0;
    eachField(payload, onField);
    const { revision, previous, events } = batch;
    log.add(revision);
    previousOf.set(revision, previous);
    eventsOfEach[watcher] = (eventsOfEach[watcher] ?? 0) + events;
    const known = knownOfEach[watcher];
    if (known !== undefined && previous !== known) holes++;
    knownOfEach[watcher] = revision;
  };

  const listening = Promise.withResolvers<void>();
  const onLine = (line: string) => {
    if (line === 'PING') socket.write('PONG\r\n');
    else if (line === subscribed) listening.resolve();
    else if (line.startsWith('-ERR')) listening.reject(new Error(`NATS: ${line}`));
  };
  const stream = new NatsMessages(onMessage, onLine);
  const { hostname, port } = new URL(nats);
  const socket: Socket = connect({
    host: hostname,
    port: Number(port),
    noDelay: true,
    // The same memory for each read: garbage would cost as much as all else here.
    onread: {
      buffer: Buffer.allocUnsafeSlow(readBytes),
      callback: (size, buffer) => {
        stream.push(Buffer.from(buffer.buffer, buffer.byteOffset, size));
        return true;
      },
    },
  });
  socket.on('error', (error) => listening.reject(error));
  const subscribe = (subject: string, sid: number) => `SUB ${subject} ${sid}\r\n`;
  const subscriptions = Array.from(
    { length: watchers },
    (_, i) => subscribe('navarch.changes.pods._', i + 1) + subscribe('navarch.bookmarks', watchers + i + 1),
  );
  socket.write(`CONNECT {"verbose":false,"pedantic":false,"name":"watchers"}\r\n${subscriptions.join('')}PING\r\n`);
  await listening.promise;
  ready();
  await once(stopped, 'abort');
  socket.destroy();
  return {
    fewestEvents: Math.min(...eventsOfEach),
    holes,
    heard: log.moments(),
    previous: previousOf,
    messages,
  };
}
