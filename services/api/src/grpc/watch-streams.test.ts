import { EventEmitter } from 'node:events';
import { Metadata, type ServerWritableStream } from '@grpc/grpc-js';
import { createLogger, createMetrics, VirtualClock } from '@navarch/kit';
import { ConfigMap, Form, Resource, type WatchRequest } from '@navarch/proto';
import { builtinKinds, configMap as configMapKind } from '@navarch/kinds';
import { expect, test } from 'vitest';
import { CachedObject } from '../cache/cached-object.ts';
import { ObjectCache } from '../cache/object-cache.ts';
import { Reader } from '../read/reader.ts';
import type { WireWatch } from '../wire/responses.ts';
import { CallMetrics } from './call-metrics.ts';
import { WatchStreams } from './watch-streams.ts';

/** A reader that takes one message at a time, when it is told to. */
class SlowCall extends EventEmitter {
  readonly metadata = new Metadata();
  readonly request: WatchRequest = {
    targets: [{ resource: 'configmaps', namespace: '', labelSelector: '', fieldSelector: '' }],
    after: 0n,
    form: Form.FULL,
  };
  readonly sent: WireWatch[] = [];
  error: (Error & { details?: string }) | undefined;

  constructor() {
    super();
    this.on('error', (error) => (this.error = error));
  }

  write(message: WireWatch): boolean {
    this.sent.push(message);
    return false;
  }
}

const clock = new VirtualClock();
const cache = new ObjectCache({ maxBytes: 1_000_000, maxChanges: 5 });
let revision = 1n;
cache.reset([], revision);
function change(): void {
  revision++;
  const value = ConfigMap.fromJSON({ metadata: { namespace: 'a', name: 'x' } });
  const body = Resource.encode({ revision: 0n, object: { $case: 'configMap', value } }).finish();
  const about = { kind: configMapKind, namespace: 'a', name: 'x' };
  cache.apply(revision, [{ ...about, object: new CachedObject({ ...about, key: 'a/x', revision }, body) }]);
}

function open(): { call: SlowCall; streams: WatchStreams } {
  const readOnly = () => Promise.reject(new Error('read only'));
  const source = { cache, fresh: async () => revision, commit: readOnly, commitEach: readOnly };
  const metrics = new CallMetrics(
    createMetrics('api', { process: false }),
    createLogger({ name: 'x', level: 'silent' }),
  );
  const streams = new WatchStreams({
    reader: new Reader({ kinds: builtinKinds, sources: { of: () => source }, clock }),
    metrics,
    clock,
    fresh: source.fresh,
  });
  const call = new SlowCall();
  streams.handler(() => {})(call as unknown as ServerWritableStream<WatchRequest, WireWatch>);
  return { call, streams };
}

test('a reader that falls behind the history is cut off, and has cost one message', async () => {
  const { call, streams } = open();
  await clock.advance(0);
  expect(call.sent).toHaveLength(1);
  for (let i = 0; i < 50; i++) change();
  expect(call.sent).toHaveLength(1);
  call.emit('drain');
  await clock.advance(0);
  expect(call.error?.details).toContain('the reader is too slow');
  expect(streams.open).toBe(0);
});

test('a reader that takes nothing any more is cut off', async () => {
  const { call, streams } = open();
  await clock.advance(0);
  expect(streams.open).toBe(1);
  await clock.advance(60_000);
  expect(call.error?.details).toContain('took nothing for 60000 ms');
  expect(streams.open).toBe(0);
});
