import type { Exchange, Handler } from '../http/exchange.ts';
import { methodNotAllowed, notFound } from '../http/status.ts';

/** Paths that are no objects' own: /version, discovery, health. Gives undefined where it knows nothing. */
export type PathRoutes = (path: string) => Handler | undefined;

/** Answers what is no request for objects. Everything there can only be read. */
export async function handlePath(routes: readonly PathRoutes[], exchange: Exchange): Promise<void> {
  const { path } = exchange.target;
  const trimmed = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  for (const route of routes) {
    const handler = route(trimmed);
    if (handler === undefined) continue;
    if (!['GET', 'HEAD'].includes(exchange.request.method ?? ''))
      throw methodNotAllowed(exchange.request.method ?? '', path);
    await handler(exchange);
    return;
  }
  throw notFound();
}
