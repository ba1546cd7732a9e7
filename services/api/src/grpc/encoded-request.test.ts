import { CreateRequest } from '@navarch/proto';
import { expect, test } from 'vitest';
import { EncodedRequest } from './encoded-request.ts';

const bytes = (manager: string) =>
  Buffer.from(CreateRequest.encode(CreateRequest.create({ fieldManager: manager })).finish());

test('a message that was let go of is there again when it is asked for', () => {
  const request = new EncodedRequest(CreateRequest, bytes('me'));
  const first = request.message;
  expect(first.fieldManager).toBe('me');
  expect(request.message).toBe(first);
  request.forget();
  expect(request.message).not.toBe(first);
  expect(request.message).toEqual(first);
});

test('what is no message is refused when it is asked for, each time', () => {
  const request = new EncodedRequest(CreateRequest, Buffer.from([0x0a, 0x7f]));
  for (const _ of [1, 2]) expect(() => request.message).toThrow('the request can not be read as a protobuf message');
});
