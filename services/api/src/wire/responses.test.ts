import {
  ChangeBatch,
  ListResponse,
  Pod,
  Resource,
  TransactResponse,
  type WatchEvent,
  WatchEvent_Type,
  WatchResponse,
  WriteResult,
} from '@navarch/proto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  encodeChangeBatch,
  encodeList,
  encodeResource,
  encodeTransact,
  encodeWatch,
  type EventType,
  objectBytes,
  withMessage,
} from './responses.ts';

const revision = fc.oneof(
  fc.constant(0n),
  fc.bigInt({ min: 1n, max: 300n }),
  fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
);
const pod = fc
  .record({ name: fc.string(), image: fc.string({ maxLength: 20_000 }) })
  .map(({ name, image }) => Pod.fromJSON({ metadata: { name }, spec: { containers: [{ image }] } }));
const object = fc.record({ revision, value: pod }).map(({ revision, value }): Resource => {
  return { revision, object: { $case: 'pod', value } };
});
const body = (resource: Resource) => Resource.encode({ ...resource, revision: 0n }).finish();
const wire = (resource: Resource) => encodeResource(resource.revision, body(resource));
const event = fc.record({ type: fc.constantFrom<EventType>(1, 2, 3), resource: object });
const eventMessage = ({ type, resource }: { type: EventType; resource: Resource }): WatchEvent => {
  return { type, resource };
};
const eventWire = ({ type, resource }: { type: EventType; resource: Resource }) => ({ type, resource: wire(resource) });

const same = (ours: Uint8Array, generated: { finish(): Uint8Array }) =>
  expect(Buffer.compare(ours, generated.finish())).toBe(0);

test('the bytes are those that the generated encoders make', () => {
  fc.assert(
    fc.property(fc.array(object, { maxLength: 5 }), revision, fc.string(), (items, revision, token) => {
      for (const item of items) {
        same(wire(item), Resource.encode(item));
        same(objectBytes(body(item)), Pod.encode(item.object?.value as Pod));
      }
      const results = items.map((item, i): WriteResult => {
        return { result: { $case: 'resource', value: item }, done: 1, gone: i % 2 === 0 };
      });
      const rest = (result: WriteResult) => WriteResult.encode({ ...result, result: undefined }).finish();
      const parts = results.map((result, i) => withMessage(1, wire(items[i] as Resource), rest(result)));
      same(encodeTransact(parts), TransactResponse.encode({ results }));
      same(encodeList(revision, items.map(wire), token), ListResponse.encode({ revision, items, continue: token }));
    }),
  );
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 5 }),
      revision,
      revision,
      fc.boolean(),
      (list, revision, previous, initial) => {
        const events = list.map(eventMessage);
        same(
          encodeWatch({ revision, events: list.map(eventWire), initial }),
          WatchResponse.encode({ revision, events, initial }),
        );
        same(
          encodeChangeBatch(revision, previous, list.map(eventWire)),
          ChangeBatch.encode({ revision, previous, events }),
        );
      },
    ),
  );
  expect(WatchEvent_Type).toMatchObject({ ADDED: 1, MODIFIED: 2, DELETED: 3 });
});
