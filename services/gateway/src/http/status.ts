import { ApiError, type Reason, toApiError } from '@navarch/machinery';

/** metav1.Status: how the Kubernetes API says that something went wrong, or that nothing more is to be said. */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Record<string, never>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code: number;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly { readonly reason?: string; readonly message: string; readonly field?: string }[];
  readonly retryAfterSeconds?: number;
}

/** A refusal that is HTTP's own, or has words of its own. */
export class StatusError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails | undefined;

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message);
    this.name = 'StatusError';
    this.code = code;
    this.reason = reason;
    this.details = details;
  }
}

export const badRequest = (message: string) => new StatusError(400, 'BadRequest', message);
export const notFound = (message = 'the server could not find the requested resource') =>
  new StatusError(404, 'NotFound', message);
export const methodNotAllowed = (method: string, what: string) =>
  new StatusError(405, 'MethodNotAllowed', `the server does not allow ${method} on ${what}`);
export const notAcceptable = (known: string) =>
  new StatusError(406, 'NotAcceptable', `only the following media types are accepted: ${known}`);
export const unsupportedMediaType = (known: string) =>
  new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${known}`,
  );

/**
 * The code and the word for each reason. Source: https://kubernetes.io/docs/reference/using-api/api-concepts and the
 * StatusReason values of metav1; "Fenced" is a conflict that trying again does not lift.
 */
const httpOf: Readonly<Record<Reason, readonly [code: number, reason: string]>> = {
  BadRequest: [400, 'BadRequest'],
  Invalid: [422, 'Invalid'],
  NotFound: [404, 'NotFound'],
  AlreadyExists: [409, 'AlreadyExists'],
  Conflict: [409, 'Conflict'],
  Fenced: [409, 'Conflict'],
  Expired: [410, 'Expired'],
  Forbidden: [403, 'Forbidden'],
  Unauthorized: [401, 'Unauthorized'],
  RequestEntityTooLarge: [413, 'RequestEntityTooLarge'],
  TooManyRequests: [429, 'TooManyRequests'],
  InsufficientStorage: [507, 'InsufficientStorage'],
  Unavailable: [503, 'ServiceUnavailable'],
  Timeout: [504, 'Timeout'],
  Cancelled: [499, 'Cancelled'],
  Unimplemented: [501, 'NotImplemented'],
  InternalError: [500, 'InternalError'],
};

/** What an error is to a client. `about` says which object the request was for. */
export function statusOf(error: unknown, about: StatusDetails = {}): Status {
  if (error instanceof StatusError) {
    const { code, reason, message, details } = error;
    return failure(code, reason, message, { ...about, ...details });
  }
  const apiError = toApiError(error);
  const [code, reason] = httpOf[apiError.reason];
  return failure(code, reason, apiError.message, {
    ...about,
    ...(apiError.fields.length > 0 && { causes: causesOf(apiError) }),
    ...(apiError.retryAfterSeconds !== undefined && { retryAfterSeconds: apiError.retryAfterSeconds }),
  });
}

export function success(details: StatusDetails): Status {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details, code: 200 };
}

function failure(code: number, reason: string, message: string, details: StatusDetails): Status {
  const said = Object.keys(details).length > 0 ? { details } : {};
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, ...said, code };
}

/** Each in the words of metav1.CauseType, as far as they can be told. */
function causesOf({ reason, fields }: ApiError) {
  return fields.map(({ path, message }) => ({
    reason: reason === 'Conflict' ? 'FieldManagerConflict' : causeReason(message),
    message,
    ...(path !== '' && { field: path }),
  }));
}

function causeReason(message: string): string {
  if (message.startsWith('must be set')) return 'FieldValueRequired';
  if (message.startsWith('must be one of')) return 'FieldValueNotSupported';
  return 'FieldValueInvalid';
}
