import { isApiError, toApiError } from '@navarch/machinery';
import { UserError } from './session.ts';

/** Says what went wrong the way kubectl does, with what to do about it, and gives the exit code. */
export function reportError(error: unknown, server: string, write: (text: string) => void): number {
  if (error instanceof UserError) {
    if (error.message !== '') write(`error: ${error.message}\n`);
    return error.exitCode;
  }
  write(`${errorText(error, server)}\n`);
  return 1;
}

/** One error as a line, or several for one that names fields. */
export function errorText(error: unknown, server: string): string {
  if (error instanceof UserError) return `error: ${error.message}`;
  if (isApiError(error, 'Unavailable', 'Timeout')) {
    return [
      `The api at ${server} can't be reached (${error.message}).`,
      'Is it running? `npm start` starts everything; --server or NAVARCH_API names another address.',
    ].join('\n');
  }
  const { reason, message } = toApiError(error);
  return reason === 'InternalError' ? `Error: ${message}` : `Error from server (${reason}): ${message}`;
}
