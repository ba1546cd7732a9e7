import { status } from '@grpc/grpc-js';

/**
 * Why a request was refused, in the words of the Kubernetes API (metav1.StatusReason), and the gRPC status it travels as.
 * Source: https://kubernetes.io/docs/reference/generated/kubernetes-api (Status), https://grpc.io/docs/guides/status-codes
 */
const statusByReason = {
  BadRequest: status.INVALID_ARGUMENT,
  Invalid: status.INVALID_ARGUMENT,
  NotFound: status.NOT_FOUND,
  AlreadyExists: status.ALREADY_EXISTS,
  Conflict: status.ABORTED,
  Fenced: status.FAILED_PRECONDITION,
  Expired: status.OUT_OF_RANGE,
  Forbidden: status.PERMISSION_DENIED,
  Unauthorized: status.UNAUTHENTICATED,
  RequestEntityTooLarge: status.RESOURCE_EXHAUSTED,
  TooManyRequests: status.RESOURCE_EXHAUSTED,
  /** Not Kubernetes' word: HTTP's 507. The store is full. */
  InsufficientStorage: status.RESOURCE_EXHAUSTED,
  Unavailable: status.UNAVAILABLE,
  Timeout: status.DEADLINE_EXCEEDED,
  Cancelled: status.CANCELLED,
  Unimplemented: status.UNIMPLEMENTED,
  InternalError: status.INTERNAL,
} as const;

export type Reason = keyof typeof statusByReason;

export function isReason(text: string): text is Reason {
  return Object.hasOwn(statusByReason, text);
}

/** One thing wrong with one field. `path` is spelled as in a manifest: `spec.containers[0].image`. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
  /** The schema has no such field. A reader that was told to may leave it out. */
  readonly unknown?: true;
}

/** The one error class that crosses a border between services. `fields` is empty unless the reason is Invalid. */
export class ApiError extends Error {
  readonly reason: Reason;
  readonly fields: readonly FieldError[];
  /** When it is worth trying again, where that is known. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    reason: Reason,
    message: string,
    options: { fields?: readonly FieldError[]; cause?: unknown; retryAfterSeconds?: number | undefined } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ApiError';
    this.reason = reason;
    this.fields = options.fields ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get code(): status {
    return statusByReason[this.reason];
  }
}

/** Whether `error` is an ApiError for one of `reasons` (any reason when none is named). */
export function isApiError(error: unknown, ...reasons: Reason[]): error is ApiError {
  return error instanceof ApiError && (reasons.length === 0 || reasons.includes(error.reason));
}

/** The refusal of an object that breaks rules: `what` is 'Pod "web"'. Says all of it, one line a field. */
export function invalid(what: string, fields: readonly FieldError[]): ApiError {
  const lines = fields.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  const text = lines.length === 1 ? `: ${lines[0]}` : `:\n  ${lines.join('\n  ')}`;
  return new ApiError('Invalid', `${what} is invalid${text}`, { fields });
}
