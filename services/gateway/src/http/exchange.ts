import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import type { Identity } from '../identity.ts';
import type { Target } from '../routes/target.ts';

export type HttpRequest = IncomingMessage;
/** What node:http2 gives for HTTP/2 is used as that of node:http is, whose methods it has; besides, it tells its stream. */
export type HttpResponse = ServerResponse & { readonly stream?: ServerHttp2Stream };

/** One request and its answer, with all that is known of them. What handlers, filters and the audit are given. */
export interface Exchange {
  readonly id: string;
  readonly request: HttpRequest;
  /** An upgraded connection has none. */
  readonly response: HttpResponse;
  readonly query: URLSearchParams;
  readonly target: Target;
  /** The kind of the objects that are asked for, by its own name (Pod), once that is known. */
  kindName?: string;
  /** Who asks, once that is known: filters and handlers run only then. */
  identity: Identity;
  /** Ends when the client hangs up, when the request takes too long, and when the gateway stops. */
  readonly signal: AbortSignal;
  /** What is said besides the answer, as Warning headers: said before the answer begins. */
  readonly warnings: Set<string>;
  /** For requests that may take as long as they like: watches, logs, exec. */
  readonly withoutDeadline: () => void;
}

/** Does something before and after the rest of the chain. Throws to refuse. */
export type Filter = (exchange: Exchange, next: () => Promise<void>) => Promise<void>;

export type Handler = (exchange: Exchange) => Promise<void>;

/** The filters around a handler, the first one outermost. */
export function chain(filters: readonly Filter[], handler: Handler): Handler {
  return filters.reduceRight<Handler>((next, filter) => (exchange) => filter(exchange, () => next(exchange)), handler);
}

/** What the client calls itself. */
export function userAgentOf(request: HttpRequest): string {
  return request.headers['user-agent'] ?? '';
}
