import type { Clock } from '@navarch/kit';
import { keepBody, keptBody } from '../http/kept-bodies.ts';
import type { Exchange, Filter } from '../http/exchange.ts';
import { type Status, statusOf } from '../http/status.ts';
import { auditEvent } from './event.ts';
import { type AuditPolicy, decide, type Stage } from './policy.ts';

/**
 * Writes down who does what, as far as the policy says: one JSON line for each stage. The outermost filter: it sees what the
 * others refuse.
 */
export function auditFilter(options: {
  readonly policy: AuditPolicy;
  readonly write: (line: string) => void;
  readonly clock: Clock;
}): Filter {
  const { policy, write, clock } = options;
  return async (exchange, next) => {
    const { level, omit } = decide(policy, exchange.target, exchange.identity);
    if (level === 'None') return await next();
    const received = clock.now();
    const { request, response } = exchange;
    const remoteAddress = request.socket.remoteAddress ?? '';
    const withRequest = level === 'Request' || level === 'RequestResponse';
    if (withRequest) keepBody(request);
    // An upgraded connection has no response.
    if (level === 'RequestResponse' && response !== undefined) keepBody(response);
    const tell = (stage: Stage, outcome: { code?: number; status?: Status } = {}) => {
      if (omit.includes(stage)) return;
      const bodies = stage === 'RequestReceived' ? {} : bodiesOf(exchange);
      const moment = { level, stage, received, now: clock.now(), remoteAddress, ...outcome, ...bodies };
      write(JSON.stringify(auditEvent(exchange, moment)));
    };
    tell('RequestReceived');
    try {
      await next();
      tell('ResponseComplete', { code: response?.statusCode ?? 101 });
    } catch (error) {
      const status = statusOf(exchange.signal.aborted ? exchange.signal.reason : error);
      tell('ResponseComplete', { code: status.code, status });
      throw error;
    }
  };
}

function bodiesOf({ request, response }: Exchange): { requestObject?: unknown; responseObject?: unknown } {
  const requestObject = jsonOf(keptBody(request));
  const responseObject = response === undefined ? undefined : jsonOf(keptBody(response));
  return {
    ...(requestObject !== undefined && { requestObject }),
    ...(responseObject !== undefined && { responseObject }),
  };
}

/** What is not JSON is left out. */
function jsonOf(body: Buffer | undefined): unknown {
  if (body === undefined || body.length === 0) return undefined;
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
