import { Metadata, status } from '@grpc/grpc-js';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ApiError, invalid, isReason } from './errors.ts';
import { errorDetail, fromErrorDetail, fromServiceError, toApiError, toServiceError } from './grpc-errors.ts';

test('an ApiError arrives as it was thrown', () => {
  const fields = fc.array(fc.record({ path: fc.string(), message: fc.string() }), { maxLength: 5 });
  const reason = fc.constantFrom('NotFound' as const, 'Invalid' as const, 'Fenced' as const, 'Expired' as const);
  fc.assert(
    fc.property(reason, fc.string(), fields, (name, message, fields) => {
      const sent = new ApiError(name, message, { fields });
      const received = fromServiceError(toServiceError(sent));
      expect(received).toMatchObject({ reason: name, message, fields });
      expect(fromErrorDetail(errorDetail(sent))).toMatchObject({ reason: name, message, fields });
    }),
  );
});

test('what is too long for metadata is cut', () => {
  const fields = Array.from({ length: 1000 }, (_, index) => ({
    path: `spec.containers[${index}].image`,
    message: 'must be set',
  }));
  const error = toServiceError(invalid('Pod "web"', fields));
  const [packed] = error.metadata.get('grpc-status-details-bin');
  expect((packed as Buffer).length).toBeLessThan(8000);
  expect(fromServiceError(error).fields.length).toBeGreaterThan(50);
});

test('an error of another gRPC server is told by its status', () => {
  const error = Object.assign(new Error('x'), {
    code: status.UNAVAILABLE,
    details: 'no connection',
    metadata: new Metadata(),
  });
  expect(toApiError(error)).toMatchObject({ reason: 'Unavailable', message: 'no connection' });
});

test('anything else that is thrown is an internal error', () => {
  expect(toApiError(new TypeError('oops'))).toMatchObject({ reason: 'InternalError', message: 'oops' });
  expect(toServiceError('oops').code).toBe(status.INTERNAL);
  expect(isReason('toString')).toBe(false);
});
