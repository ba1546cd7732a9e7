import { isApiError } from '@navarch/machinery';

/** An error as fields of a log line. That somebody is away for now needs no stack; what nobody expected does. */
export function trouble(error: unknown): { readonly why: string } | { readonly err: unknown } {
  if (isApiError(error, 'Unavailable', 'Timeout', 'Cancelled')) return { why: error.message };
  return { err: error };
}
