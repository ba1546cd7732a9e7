import { Metadata, type ServiceError, type StatusObject, status } from '@grpc/grpc-js';
import { ErrorDetail, rpc } from '@navarch/proto';
import { ApiError, isReason, type Reason } from './errors.ts';

/** Where gRPC servers put a google.rpc.Status. Source: gRPC's rich error model. */
const detailsKey = 'grpc-status-details-bin';
const detailType = 'type.googleapis.com/navarch.api.v1.ErrorDetail';
/** Metadata is limited to some kilobytes, so only so much of an error travels. */
const maxMessageLength = 2000;
const maxDetailBytes = 4000;

const reasonByStatus: Partial<Record<status, Reason>> = {
  [status.INVALID_ARGUMENT]: 'BadRequest',
  [status.NOT_FOUND]: 'NotFound',
  [status.ALREADY_EXISTS]: 'AlreadyExists',
  [status.ABORTED]: 'Conflict',
  [status.FAILED_PRECONDITION]: 'BadRequest',
  [status.OUT_OF_RANGE]: 'Expired',
  [status.PERMISSION_DENIED]: 'Forbidden',
  [status.UNAUTHENTICATED]: 'Unauthorized',
  [status.RESOURCE_EXHAUSTED]: 'TooManyRequests',
  [status.UNAVAILABLE]: 'Unavailable',
  [status.DEADLINE_EXCEEDED]: 'Timeout',
  [status.CANCELLED]: 'Cancelled',
  [status.UNIMPLEMENTED]: 'Unimplemented',
};

/** Any thrown value as an ApiError: an ApiError as it is, a gRPC error by its details or code, the rest as InternalError. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (isServiceError(error)) return fromServiceError(error);
  const message = error instanceof Error ? error.message : String(error);
  return new ApiError('InternalError', message, { cause: error });
}

/** What a server ends a call with. Hand it to a callback, or emit it as a stream's 'error'. */
export function toServiceError(error: unknown): StatusObject & Error {
  const apiError = toApiError(error);
  const message = shorten(apiError.message);
  const metadata = new Metadata();
  const detail = ErrorDetail.encode(fitting(errorDetail(apiError))).finish();
  // The message stands in the call's status and in the detail already.
  const packed = rpc.Status.encode({
    code: apiError.code,
    message: '',
    details: [{ typeUrl: detailType, value: detail }],
  }).finish();
  metadata.set(detailsKey, Buffer.from(packed));
  return Object.assign(new Error(message), { code: apiError.code, details: message, metadata });
}

/** What a client got, as what the server threw. */
export function fromServiceError(error: ServiceError): ApiError {
  const detail = readDetail(error.metadata);
  if (detail !== undefined) return fromErrorDetail(detail, error);
  return new ApiError(reasonByStatus[error.code] ?? 'InternalError', error.details || error.message, { cause: error });
}

/** An error as the result of one write among many. */
export function errorDetail(error: ApiError): ErrorDetail {
  const { reason, message, fields, retryAfterSeconds } = error;
  return { reason, message, fields: fields.map((field) => ({ ...field })), retryAfterSeconds };
}

export function fromErrorDetail(detail: ErrorDetail, cause?: unknown): ApiError {
  const reason = isReason(detail.reason) ? detail.reason : 'InternalError';
  const { message, fields, retryAfterSeconds } = detail;
  return new ApiError(reason, message, { fields, retryAfterSeconds, cause });
}

function readDetail(metadata: Metadata | undefined): ErrorDetail | undefined {
  const [packed] = metadata?.get(detailsKey) ?? [];
  if (!(packed instanceof Uint8Array)) return undefined;
  try {
    const any = rpc.Status.decode(packed).details.find(({ typeUrl }) => typeUrl === detailType);
    return any === undefined ? undefined : ErrorDetail.decode(any.value);
  } catch {
    return undefined; // another server's details: the status itself says enough
  }
}

function fitting(detail: ErrorDetail): ErrorDetail {
  let bytes = 0;
  const fields = detail.fields
    .map(({ path, message }) => ({ path: shorten(path), message: shorten(message) }))
    .filter(({ path, message }) => {
      bytes += Buffer.byteLength(path) + Buffer.byteLength(message) + 8;
      return bytes <= maxDetailBytes;
    });
  return { ...detail, message: shorten(detail.message), fields };
}

function shorten(text: string): string {
  return text.length <= maxMessageLength ? text : `${text.slice(0, maxMessageLength)}…`;
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'metadata' in error;
}
