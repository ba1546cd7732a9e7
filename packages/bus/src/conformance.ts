import { ApiError } from '@navarch/machinery';
import { waitFor } from '@navarch/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type BusMessage, type EventBus, type EventStream, maxPayloadBytes, type StreamMessage } from './bus.ts';
import { anyToken, anyTokens, subject, subjectPattern } from './subject.ts';

/** A server that the suite may kill, and a way to connect to it. */
export interface BusServer {
  connect(name: string): EventBus;
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Loses every stream. Only while killed. */
  wipe(): Promise<void>;
  stop(): Promise<void>;
}

let counter = 0;
/** A name of this test's own, so that tests can share a server. */
const unique = (what: string) => `${what}-${process.pid}-${++counter}`;
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (payload: Uint8Array | undefined) => (payload ? new TextDecoder().decode(payload) : undefined);
const never = new AbortController().signal;

/** What every EventBus must do. */
export function describeEventBus(name: string, startServer: () => Promise<BusServer>): void {
  describe(`${name} as an EventBus`, { timeout: 30_000 }, () => {
    let server: BusServer;
    let open: EventBus[] = [];

    const connect = () => {
      const bus = server.connect(unique('client'));
      open.push(bus);
      return bus;
    };
    const connected = async () => {
      const bus = connect();
      await waitFor(() => bus.connected, { what: 'the bus to connect' });
      return bus;
    };

    beforeAll(async () => {
      server = await startServer();
    }, 30_000);
    afterEach(async () => {
      await Promise.all(open.map((bus) => bus.close()));
      open = [];
      await server.start();
    });
    afterAll(() => server?.stop());

    describe('messages', () => {
      test('reach every subscriber of the subject, in order, bytes untouched', async () => {
        const [sender, one, two] = [await connected(), await connected(), await connected()];
        const topic = subject('test', unique('topic'));
        const received = [
          collect(one.subscribe(topic, { signal: never })),
          collect(two.subscribe(topic, { signal: never })),
        ];
        await ready(sender, one, two);
        const sent = Array.from({ length: 500 }, (_, i) => Uint8Array.of(i >> 8, i & 255, 0, 13, 10, 255));
        for (const payload of sent) expect(sender.publish(topic, payload)).toBe(true);
        for (const messages of received) {
          await waitFor(() => messages.length === sent.length);
          expect(messages.map(({ payload }) => [...payload])).toEqual(sent.map((payload) => [...payload]));
          expect(messages.every((message) => message.dropped === 0 && message.subject === topic)).toBe(true);
        }
      });

      test('are chosen by wildcards', async () => {
        const bus = await connected();
        const root = unique('root');
        const patterns = [
          subjectPattern(root, anyToken),
          subjectPattern(root, anyToken, 'b'),
          subjectPattern(root, anyTokens),
          subject(root, 'a'),
        ];
        const received = patterns.map((pattern) => collect(bus.subscribe(pattern, { signal: never })));
        await ready(bus);
        const sent = [
          subject(root, 'a'),
          subject(root, 'a', 'b'),
          subject(root, 'a', 'c'),
          subject(root),
          subject(root, 'a.b'),
        ];
        for (const topic of sent) bus.publish(topic, bytes(topic));
        await waitFor(() => received[2]?.length === 4);
        const subjects = received.map((messages) => messages.map((message) => message.subject));
        expect(subjects).toEqual([
          [subject(root, 'a'), subject(root, 'a.b')],
          [subject(root, 'a', 'b')],
          [subject(root, 'a'), subject(root, 'a', 'b'), subject(root, 'a', 'c'), subject(root, 'a.b')],
          [subject(root, 'a')],
        ]);
      });

      test('wait for a subscriber that has not begun to read; the oldest are dropped and counted', async () => {
        const bus = await connected();
        const topic = subject('test', unique('topic'));
        const slow = bus.subscribe(topic, { buffer: 3, signal: never });
        const fast = collect(bus.subscribe(topic, { signal: never }));
        await ready(bus);
        for (let i = 0; i < 10; i++) bus.publish(topic, bytes(String(i)));
        await waitFor(() => fast.length === 10);
        const messages = collect(slow);
        await waitFor(() => messages.length === 3);
        expect(messages.map(({ payload, dropped }) => [text(payload), dropped])).toEqual([
          ['7', 7],
          ['8', 0],
          ['9', 0],
        ]);
      });

      test('are refused above the size limit', async () => {
        const bus = await connected();
        expect(bus.publish(subject('test', 'large'), new Uint8Array(maxPayloadBytes + 1))).toBe(false);
        expect(bus.publish(subject('test', 'large'), new Uint8Array(maxPayloadBytes))).toBe(true);
        await ready(bus);
      });

      test('end with the signal and with the bus', async () => {
        const bus = await connected();
        const topic = subject('test', unique('topic'));
        const abort = new AbortController();
        const ends = [
          finish(bus.subscribe(topic, { signal: abort.signal })),
          finish(bus.subscribe(topic, { signal: never })),
        ];
        abort.abort();
        await ends[0];
        await bus.close();
        await ends[1];
        await bus.close();
        expect(bus.connected).toBe(false);
        expect(bus.publish(topic, bytes('late'))).toBe(false);
      });
    });

    describe('requests', () => {
      test('are answered', async () => {
        const [asker, responder] = [await connected(), await connected()];
        const topic = subject('test', unique('ask'));
        responder.respond(topic, async (payload) => bytes(`${text(payload)}!`), never);
        await ready(asker, responder);
        const answers = await Promise.all(
          Array.from({ length: 50 }, (_, i) => asker.request(topic, bytes(String(i)), { timeoutMs: 5000 })),
        );
        expect(answers.map(text)).toEqual(Array.from({ length: 50 }, (_, i) => `${i}!`));
      });

      test('fail with what the handler threw', async () => {
        const bus = await connected();
        const topic = subject('test', unique('ask'));
        bus.respond(
          topic,
          async (payload) => {
            throw text(payload) === 'api' ? new ApiError('NotFound', 'pods "ä" not found') : new Error('plain');
          },
          never,
        );
        await ready(bus);
        const options = { timeoutMs: 5000 };
        await expect(bus.request(topic, bytes('api'), options)).rejects.toMatchObject({
          reason: 'NotFound',
          message: 'pods "ä" not found',
        });
        await expect(bus.request(topic, bytes(''), options)).rejects.toMatchObject({
          reason: 'InternalError',
          message: 'plain',
        });
      });

      test('reach one of several responders', async () => {
        const [one, two] = [await connected(), await connected()];
        const topic = subject('test', unique('ask'));
        let asked = 0;
        for (const bus of [one, two]) bus.respond(topic, async () => bytes(String(++asked)), never);
        await ready(one, two);
        for (let i = 0; i < 5; i++) await one.request(topic, bytes(''), { timeoutMs: 5000 });
        expect(asked).toBe(5);
      });

      test('fail when nobody answers, late or too large', async () => {
        const bus = await connected();
        const silent = subject('test', unique('silent'));
        const gone = new AbortController();
        bus.respond(silent, () => new Promise(() => {}), never);
        bus.respond(subject('test', 'gone'), async () => bytes(''), gone.signal);
        gone.abort();
        await ready(bus);
        const ask = (topic: string, payload = bytes(''), signal = never) =>
          bus.request(topic, payload, { timeoutMs: 100, signal });
        await expect(ask(subject('test', unique('nobody')))).rejects.toMatchObject({ reason: 'Unavailable' });
        await expect(ask(subject('test', 'gone'))).rejects.toMatchObject({ reason: 'Unavailable' });
        await expect(ask(silent)).rejects.toMatchObject({ reason: 'Timeout' });
        await expect(ask(silent, bytes(''), AbortSignal.abort(new Error('changed my mind')))).rejects.toThrow(
          'changed my mind',
        );
        await expect(ask(silent, new Uint8Array(maxPayloadBytes + 1))).rejects.toMatchObject({
          reason: 'RequestEntityTooLarge',
        });
      });
    });

    describe('streams', () => {
      const limits = { maxAgeMs: 60_000, maxBytes: 10_000_000 };
      const makeStream = (bus: EventBus, more = {}) => {
        const id = unique('stream');
        const config = { name: id, subjects: [subjectPattern(id, anyTokens)], ...limits, ...more };
        return { id, config, stream: bus.stream(config) };
      };

      test('give what they keep, then a marker, then what comes', async () => {
        const [writer, reader] = [await connected(), await connected()];
        const { id, config, stream } = makeStream(writer);
        const sequences: bigint[] = [];
        for (let i = 0; i < 20; i++) sequences.push(await stream.append(subject(id, `s${i}`), bytes(String(i))));
        expect(sequences).toEqual(sequences.toSorted((a, b) => Number(a - b)));
        const messages = collect(reader.stream(config).read({ after: 0n, signal: never }));
        const rest = collect(reader.stream(config).read({ after: sequences[9] ?? 0n, signal: never }));
        const nothing = collect(reader.stream(config).read({ after: sequences[19] ?? 0n, signal: never }));
        await waitFor(() => [messages, rest, nothing].every(hasMarker), { what: 'the markers' });
        expect(messages.map(({ payload }) => text(payload))).toEqual([...numbers(0, 20), undefined]);
        expect(messages.map((message) => message.subject).slice(0, 20)).toEqual(
          numbers(0, 20).map((n) => subject(id, `s${n}`)),
        );
        expect(messages.slice(0, 20).map((message) => message.sequence)).toEqual(sequences);
        expect(rest.map(({ payload }) => text(payload))).toEqual([...numbers(10, 20), undefined]);
        expect(nothing.map(({ payload }) => text(payload))).toEqual([undefined]);
        await stream.append(subject(id, 'new'), bytes('new'));
        for (const all of [messages, rest, nothing]) await waitFor(() => text(all.at(-1)?.payload) === 'new');
        expect(messages.filter(({ payload }) => payload === undefined)).toHaveLength(1);
      });

      test('mark an empty stream at once, and end with the signal', async () => {
        const bus = await connected();
        const { stream } = makeStream(bus);
        const abort = new AbortController();
        const messages: StreamMessage[] = [];
        const end = finish(stream.read({ after: 0n, signal: abort.signal }), messages);
        await waitFor(() => messages.length === 1);
        expect(messages).toEqual([{ subject: '', sequence: 0n, payload: undefined }]);
        abort.abort();
        await end;
      });

      test('go on after many messages with a slow reader, and stop at a break', async () => {
        const bus = await connected();
        const { id, stream } = makeStream(bus);
        await Promise.all(Array.from({ length: 1500 }, (_, i) => stream.append(subject(id, 'x'), bytes(String(i)))));
        const sequences: bigint[] = [];
        for await (const { sequence, payload } of stream.read({ after: 0n, signal: never })) {
          if (!payload) break;
          sequences.push(sequence);
        }
        expect(sequences).toEqual(Array.from({ length: 1500 }, (_, i) => BigInt(i + 1)));
      });

      test('keep only the newest of each subject, and adjust to a new limit', async () => {
        const bus = await connected();
        const { id, config, stream } = makeStream(bus, { maxPerSubject: 2 });
        for (const i of numbers(0, 5)) {
          await stream.append(subject(id, 'a'), bytes(`a${i}`));
          await stream.append(subject(id, 'b'), bytes(`b${i}`));
        }
        expect(await kept(stream)).toEqual(['a3', 'b3', 'a4', 'b4']);
        const wider = bus.stream({ ...config, maxPerSubject: 3 });
        await wider.append(subject(id, 'a'), bytes('a5'));
        expect(await kept(wider)).toEqual(['a3', 'b3', 'a4', 'b4', 'a5']);
      });

      test('are read by subject, oldest first, and tell what was stored last', async () => {
        const bus = await connected();
        const { id, config, stream } = makeStream(bus, { maxPerSubject: 3 });
        expect(await stream.newest(never)).toBeUndefined();
        const odd = subject(id, 'a.b *');
        for (const i of numbers(0, 5)) {
          await stream.append(odd, bytes(`a${i}`));
          await stream.append(subject(id, 'b'), bytes(`b${i}`));
        }
        const messages = await bus.stream(config).readSubject(odd, never);
        expect(messages.map(({ payload }) => text(payload))).toEqual(['a2', 'a3', 'a4']);
        expect(messages.map(({ subject, sequence }) => [subject, sequence])).toEqual([5n, 7n, 9n].map((i) => [odd, i]));
        expect(await stream.readSubject(subject(id, 'c'), never)).toEqual([]);
        expect(await stream.newest(never)).toMatchObject({ subject: subject(id, 'b'), sequence: 10n });
      });

      test('keep what has no limit of age', async () => {
        const bus = await connected();
        const id = unique('stream');
        const stream = bus.stream({ name: id, subjects: [subject(id)], maxBytes: 100_000 });
        await stream.append(subject(id), bytes('x'));
        expect(await kept(stream)).toEqual(['x']);
      });

      test('forget what is old and what is too much', async () => {
        const bus = await connected();
        const small = makeStream(bus, { maxBytes: 4000 });
        for (let i = 0; i < 20; i++) await small.stream.append(subject(small.id, 'x'), new Uint8Array(1000));
        const left = (await kept(small.stream)).length;
        expect(left).toBeGreaterThan(0);
        expect(left).toBeLessThan(5);
        const brief = makeStream(bus, { maxAgeMs: 200 });
        await brief.stream.append(subject(brief.id, 'x'), bytes('x'));
        await waitFor(async () => (await kept(brief.stream)).length === 0, { what: 'the message to expire' });
      });

      test('keep what is published on their subjects, and pass appended messages on to subscribers', async () => {
        const bus = await connected();
        const { id, stream } = makeStream(bus);
        await stream.append(subject(id, 'x'), bytes('one'));
        const heard = collect(bus.subscribe(subject(id, 'x'), { signal: never }));
        await ready(bus);
        bus.publish(subject(id, 'x'), bytes('two'));
        await stream.append(subject(id, 'x'), bytes('three'));
        expect(await kept(stream)).toEqual(['one', 'two', 'three']);
        await waitFor(() => heard.length === 2);
      });

      test('refuse a foreign subject and a message that is too large', async () => {
        const { id, stream } = makeStream(await connected());
        await expect(stream.append(subject('other'), bytes(''))).rejects.toMatchObject({ reason: 'BadRequest' });
        await expect(stream.append(subject(id, 'x'), new Uint8Array(maxPayloadBytes + 1))).rejects.toMatchObject({
          reason: 'RequestEntityTooLarge',
        });
      });
    });

    describe('an outage', () => {
      test('is noticed, and nothing blocks on it', async () => {
        const bus = await connected();
        const seen: boolean[] = [];
        bus.onStatus((now) => seen.push(now), never);
        await server.kill();
        await waitFor(() => !bus.connected, { what: 'the loss to be noticed' });
        const topic = subject('test', 'down');
        expect(bus.publish(topic, bytes(''))).toBe(false);
        await expect(bus.request(topic, bytes(''), { timeoutMs: 5000 })).rejects.toMatchObject({
          reason: 'Unavailable',
        });
        const stream = bus.stream({ name: unique('s'), subjects: [topic], maxAgeMs: 1000, maxBytes: 1000 });
        await expect(stream.append(topic, bytes(''))).rejects.toMatchObject({ reason: 'Unavailable' });
        await expect(stream.readSubject(topic, never)).rejects.toMatchObject({ reason: 'Unavailable' });
        await expect(stream.newest(never)).rejects.toMatchObject({ reason: 'Unavailable' });
        await server.start();
        await waitFor(() => seen.length === 2);
        expect(seen).toEqual([false, true]);
      });

      test('at the start only delays: what was asked for meanwhile works once the server is there', async () => {
        await server.kill();
        const bus = connect();
        expect(bus.connected).toBe(false);
        const id = unique('early');
        const heard = collect(bus.subscribe(subject(id), { signal: never }));
        bus.respond(subject(id, 'ask'), async () => bytes('yes'), never);
        const stream = bus.stream({ name: id, subjects: [subject(id, 's')], maxAgeMs: 60_000, maxBytes: 10_000 });
        const read = collect(stream.read({ after: 0n, signal: never }));
        await server.start();
        await waitFor(() => bus.connected);
        bus.publish(subject(id), bytes('hello'));
        await waitFor(() => heard.length === 1);
        expect(text(await bus.request(subject(id, 'ask'), bytes(''), { timeoutMs: 5000 }))).toBe('yes');
        await stream.append(subject(id, 's'), bytes('kept'));
        await waitFor(() => read.some(({ payload }) => text(payload) === 'kept'));
      });

      test('is survived by subscriptions, responders and streams', async () => {
        const [one, two] = [await connected(), await connected()];
        const id = unique('survive');
        const config = { name: id, subjects: [subject(id, 's')], maxAgeMs: 60_000, maxBytes: 10_000_000 };
        const heard = collect(two.subscribe(subject(id), { signal: never }));
        two.respond(subject(id, 'ask'), async (payload) => payload, never);
        const stream = one.stream(config);
        const read = collect(two.stream(config).read({ after: 0n, signal: never }));
        const acknowledged: string[] = [];
        const append = async (value: string) => {
          try {
            await stream.append(subject(id, 's'), bytes(value));
            acknowledged.push(value);
            return true;
          } catch {
            return false;
          }
        };
        for (let round = 0; round < 3; round++) {
          const writing = Promise.all(numbers(0, 100).map((i) => append(`${round}/${i}`)));
          await waitFor(() => acknowledged.length > 0);
          await server.kill();
          await writing;
          await waitFor(() => !one.connected && !two.connected);
          await server.start();
          await waitFor(() => one.connected && two.connected);
          one.publish(subject(id), bytes(String(round)));
          await waitFor(() => heard.some(({ payload }) => text(payload) === String(round)));
          expect(text(await one.request(subject(id, 'ask'), bytes('again'), { timeoutMs: 5000 }))).toBe('again');
          await waitFor(() => append(`${round}/after`), { what: 'appending to work again' });
        }
        const values = () => read.flatMap(({ payload }) => text(payload) ?? []);
        await waitFor(() => acknowledged.every((value) => values().includes(value)), {
          what: 'every acknowledged message to be read',
        });
        expect(new Set(values()).size).toBe(values().length);
        const sequences = read.filter(({ payload }) => payload).map(({ sequence }) => sequence);
        expect(sequences).toEqual(sequences.toSorted((a, b) => Number(a - b)));
      });

      test('that loses the disk gives a new stream, read from its start', async () => {
        const bus = await connected();
        const id = unique('wiped');
        const stream = bus.stream({ name: id, subjects: [subject(id)], maxAgeMs: 60_000, maxBytes: 10_000 });
        for (const i of numbers(0, 5)) await stream.append(subject(id), bytes(`old${i}`));
        const read = collect(stream.read({ after: 0n, signal: never }));
        await waitFor(() => hasMarker(read));
        await server.kill();
        await server.wipe();
        await server.start();
        await waitFor(() => bus.connected);
        await waitFor(async () => stream.append(subject(id), bytes('new')), { what: 'the stream to be made again' });
        await waitFor(() => text(read.at(-1)?.payload) === 'new');
        expect(read.map(({ payload }) => text(payload))).toEqual([
          ...numbers(0, 5).map((i) => `old${i}`),
          undefined,
          'new',
        ]);
        const later = collect(stream.read({ after: 100n, signal: never }));
        await waitFor(() => hasMarker(later));
        expect(later.map(({ payload }) => text(payload))).toEqual(['new', undefined]);
      });
    });
  });
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => String(from + i));
}

function hasMarker(messages: readonly StreamMessage[]): boolean {
  return messages.some(({ payload }) => payload === undefined);
}

/** Reads everything into the returned list, in the background. */
function collect<T extends BusMessage | StreamMessage>(source: AsyncIterable<T>): T[] {
  const messages: T[] = [];
  void finish(source, messages);
  return messages;
}

async function finish<T>(source: AsyncIterable<T>, messages: T[] = []): Promise<void> {
  for await (const message of source) messages.push(message);
}

async function kept(stream: EventStream): Promise<(string | undefined)[]> {
  const messages: (string | undefined)[] = [];
  for await (const { payload } of stream.read({ after: 0n, signal: never })) {
    if (!payload) break;
    messages.push(text(payload));
  }
  return messages;
}

/** Until the server has every subscription that these buses made: a request to oneself comes back after them. */
async function ready(...buses: readonly EventBus[]): Promise<void> {
  for (const bus of buses) {
    const done = new AbortController();
    const topic = subject('test', unique('ready'));
    bus.respond(topic, async (payload) => payload, done.signal);
    await bus.request(topic, bytes(''), { timeoutMs: 5000 });
    done.abort();
  }
}
