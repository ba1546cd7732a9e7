import type { HttpRequest, HttpResponse } from './exchange.ts';

/** Bodies that somebody wants to look at again, for as long as there is the request or the response that they came with. */
const bodies = new WeakMap<HttpRequest | HttpResponse, Buffer>();

const nothing = Buffer.alloc(0);

/** Asks that a body be kept, before it is read or sent. Those that are sent piece by piece are not. */
export function keepBody(message: HttpRequest | HttpResponse): void {
  bodies.set(message, nothing);
}

/** A body has come, or goes. */
export function bodySeen(message: HttpRequest | HttpResponse, body: Buffer): void {
  if (bodies.has(message)) bodies.set(message, body);
}

/** What was kept; undefined when nobody asked, and empty when there was none. */
export function keptBody(message: HttpRequest | HttpResponse): Buffer | undefined {
  return bodies.get(message);
}
