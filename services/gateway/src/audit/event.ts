import type { Exchange } from '../http/exchange.ts';
import { userAgentOf } from '../http/exchange.ts';
import type { Status } from '../http/status.ts';
import { userJson } from '../virtual/user-json.ts';
import type { Level, Stage } from './policy.ts';

export interface AuditMoment {
  readonly level: Level;
  readonly stage: Stage;
  /** Milliseconds since 1970. */
  readonly received: number;
  readonly now: number;
  readonly remoteAddress: string;
  /** Undefined before there is an answer. */
  readonly code?: number;
  /** What it was refused with. */
  readonly status?: Status;
  /** JSON values, where the level asks for them and they are known. */
  readonly requestObject?: unknown;
  readonly responseObject?: unknown;
}

/** One line of the log: audit.k8s.io/v1 Event. */
export function auditEvent(exchange: Exchange, moment: AuditMoment): object {
  const { id, request, target, identity } = exchange;
  const { level, stage, received, now, remoteAddress, code, status, requestObject, responseObject } = moment;
  const { by } = identity;
  const forwarded = String(request.headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '');
  return {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level,
    auditID: id,
    stage,
    requestURI: request.url ?? '',
    verb: target.verb,
    user: userJson(by ?? identity),
    ...(by !== undefined && { impersonatedUser: userJson(identity) }),
    sourceIPs: [...new Set([...forwarded, remoteAddress])],
    userAgent: userAgentOf(request),
    ...objectRef(target),
    ...(code !== undefined && { responseStatus: responseStatus(code, status) }),
    ...(requestObject !== undefined && { requestObject }),
    ...(responseObject !== undefined && { responseObject }),
    requestReceivedTimestamp: microTime(received),
    stageTimestamp: microTime(now),
    ...(code !== undefined && { annotations: { 'authorization.k8s.io/decision': code === 403 ? 'forbid' : 'allow' } }),
  };
}

function objectRef(target: Exchange['target']): object {
  if (target.type === 'path') return {};
  const { resource, namespace, name, group, version, subresource } = target;
  const parts = { resource, namespace, name, apiGroup: group, apiVersion: version, subresource };
  return { objectRef: Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== '')) };
}

function responseStatus(code: number, status: Status | undefined): object {
  if (status === undefined) return { metadata: {}, code };
  const { message, reason } = status;
  return { metadata: {}, status: status.status, ...(message && { message }), ...(reason && { reason }), code };
}

function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
