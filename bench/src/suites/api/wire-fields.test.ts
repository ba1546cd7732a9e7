import { WatchResponse } from '@navarch/proto';
import { expect, test } from 'vitest';
import { countFields } from './wire-fields.ts';

test('counts the fields of a message', () => {
  const event = { type: 1 as const, resource: { revision: 7n, object: undefined } };
  const message = WatchResponse.encode({ revision: 2n ** 40n, events: [event, event, event], initial: true }).finish();
  expect([...countFields(message)]).toEqual([
    [1, 1],
    [2, 3],
    [3, 1],
  ]);
  expect(countFields(new Uint8Array())).toEqual(new Map());
});

test('a message that is cut off is refused', () => {
  expect(() => countFields(Uint8Array.of(0x08))).toThrow('no number at byte 1');
});
