import { createHash } from 'node:crypto';
import type { KindWatch } from '../api/kind-watch.ts';
import { onceFor } from '../discovery/discovery.ts';
import type { Exchange } from '../http/exchange.ts';
import { jsonTypes, readAccept } from '../http/media.ts';
import { send, sendJson } from '../http/reply.ts';
import { notAcceptable, notFound } from '../http/status.ts';
import type { PathRoutes } from '../routes/path-router.ts';
import type { Served } from '../routes/resource-router.ts';
import { documentV2, documentV3 } from './documents.ts';

interface Document {
  readonly text: string;
  readonly hash: string;
}

/**
 * /openapi/v2 and /openapi/v3, made when they are first asked for after the kinds have changed. A document that is asked for by
 * its hash stays what it is for ever, and may be kept.
 */
export function openapiRoutes(kinds: KindWatch, served: Served, version: string): PathRoutes {
  const v3 = onceFor(
    () => kinds.kinds.all,
    (all) => {
      const groups = Map.groupBy(all, ({ apiVersion }) => apiVersion);
      const virtual = Map.groupBy(served.virtual, ({ group, version: v }) => (group === '' ? v : `${group}/${v}`));
      const names = [...new Set([...groups.keys(), ...virtual.keys()])].toSorted();
      return new Map(
        names.map((apiVersion) => {
          const path = apiVersion.includes('/') ? `apis/${apiVersion}` : `api/${apiVersion}`;
          const make = () => documentV3(groups.get(apiVersion) ?? [], virtual.get(apiVersion) ?? [], served, version);
          return [path, once(() => documentOf(make()))] as const;
        }),
      );
    },
  );
  const v2 = onceFor(
    () => kinds.kinds.all,
    (all) => documentOf(documentV2(all, served, version)),
  );
  return (path) => {
    if (path === '/openapi/v2') return (exchange) => sendDocument(exchange, v2());
    if (path === '/openapi/v3') return (exchange) => sendIndex(exchange, v3());
    if (!path.startsWith('/openapi/v3/')) return undefined;
    const document = v3().get(path.slice('/openapi/v3/'.length));
    return async (exchange) => {
      if (document === undefined) throw notFound();
      await sendDocument(exchange, document());
    };
  };
}

async function sendIndex(exchange: Exchange, documents: ReadonlyMap<string, () => Document>): Promise<void> {
  const paths = Array.from(documents, ([path, document]) => {
    return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${document().hash}` }] as const;
  });
  await sendJson(exchange, 200, { paths: Object.fromEntries(paths) });
}

async function sendDocument(exchange: Exchange, { text, hash }: Document): Promise<void> {
  const { accept, 'if-none-match': known } = exchange.request.headers;
  if (!readAccept(accept).some(({ type }) => jsonTypes.has(type))) throw notAcceptable('application/json');
  const isNamed = exchange.query.get('hash') === hash;
  const headers = {
    etag: `"${hash}"`,
    vary: 'Accept',
    'cache-control': isNamed ? 'public, immutable, max-age=31536000' : 'no-cache, private',
  };
  if (known === `"${hash}"`) await send(exchange, 304, '', headers);
  else await send(exchange, 200, text, headers);
}

function documentOf(document: object): Document {
  const text = JSON.stringify(document);
  return { text, hash: createHash('sha256').update(text).digest('hex').slice(0, 64).toUpperCase() };
}

function once<R>(make: () => R): () => R {
  let made: { readonly value: R } | undefined;
  return () => (made ??= { value: make() }).value;
}
