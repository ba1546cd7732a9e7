import { createHash } from 'node:crypto';
import type { KindWatch } from '../api/kind-watch.ts';
import type { Exchange } from '../http/exchange.ts';
import { jsonTypes, readAccept } from '../http/media.ts';
import { send, sendJson } from '../http/reply.ts';
import { notAcceptable } from '../http/status.ts';
import type { PathRoutes } from '../routes/path-router.ts';
import type { Served } from '../routes/resource-router.ts';
import { aggregated, apiVersions, groupList, groupOf, resourceList } from './documents.ts';
import { type DiscoveredGroup, discoveredGroups } from './groups.ts';

/** What there is, at /api and /apis: by steps, or all at once (aggregated discovery). It follows the kinds as they come and go. */
export function discoveryRoutes(kinds: KindWatch, served: Served): PathRoutes {
  const groups = onceFor(
    () => kinds.kinds.all,
    (all) => discoveredGroups(all, served),
  );
  return (path) => {
    const [, root, group, version, ...rest] = path.split('/');
    if (rest.length > 0) return undefined;
    if (root === 'api' && version === undefined) {
      const core = () => groups().filter(({ name }) => name === '');
      if (group === undefined) return (exchange) => sendRoot(exchange, core(), () => apiVersions(core()));
      return sendResources(groups, '', group);
    }
    if (root !== 'apis') return undefined;
    const others = () => groups().filter(({ name }) => name !== '');
    if (group === undefined) return (exchange) => sendRoot(exchange, others(), () => groupList(others()));
    if (version !== undefined) return sendResources(groups, group, version);
    const found = others().find(({ name }) => name === group);
    return found && ((exchange) => sendJson(exchange, 200, groupOf(found)));
  };
}

function sendResources(groups: () => readonly DiscoveredGroup[], group: string, version: string) {
  const versions = groups().find(({ name }) => name === group)?.versions;
  const found = versions?.find((each) => each.version === version);
  return found && ((exchange: Exchange) => sendJson(exchange, 200, resourceList(group, found)));
}

/** /api and /apis: everything at once for those who can read that, else where to read on. */
async function sendRoot(exchange: Exchange, groups: readonly DiscoveredGroup[], plain: () => object): Promise<void> {
  for (const { type, params } of readAccept(exchange.request.headers.accept)) {
    if (!jsonTypes.has(type)) continue;
    const as = params.get('as');
    if (as === undefined) {
      await sendJson(exchange, 200, plain());
      return;
    }
    const version = params.get('v') ?? '';
    if (as !== 'APIGroupDiscoveryList' || params.get('g') !== 'apidiscovery.k8s.io' || !/^v2(beta1)?$/.test(version))
      continue;
    const text = JSON.stringify(aggregated(groups, version));
    const etag = `"${createHash('sha256').update(text).digest('hex').slice(0, 32).toUpperCase()}"`;
    const headers = {
      'content-type': `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
      etag,
      vary: 'Accept',
      'cache-control': 'public',
    };
    if (exchange.request.headers['if-none-match'] === etag) await send(exchange, 304, '', headers);
    else await send(exchange, 200, text, headers);
    return;
  }
  throw notAcceptable('application/json');
}

/** What follows from something is made again only when that is another. */
export function onceFor<S, R>(source: () => S, make: (source: S) => R): () => R {
  let known: { readonly source: S; readonly result: R } | undefined;
  return () => {
    const now = source();
    if (known === undefined || known.source !== now) known = { source: now, result: make(now) };
    return known.result;
  };
}
