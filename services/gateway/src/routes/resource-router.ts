import type { Duplex } from 'node:stream';
import type { KindWatch } from '../api/kind-watch.ts';
import type { Exchange } from '../http/exchange.ts';
import { methodNotAllowed, notFound } from '../http/status.ts';
import type { ResourceHandler } from '../resources/resource-request.ts';
import type { Subresource, SubresourceVerb } from '../subresources/subresource.ts';
import type { VirtualResource } from '../virtual/virtual-resource.ts';
import type { ResourceTarget } from './target.ts';

/** What serves objects: a handler for each verb of every kind, subresources, and resources of which nothing is kept. */
export interface Served {
  readonly verbs: Readonly<Record<KindVerb, ResourceHandler>>;
  readonly subresources: readonly Subresource[];
  readonly virtual: readonly VirtualResource[];
}

export type KindVerb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

/** Finds who answers a request for objects, by what there is at the time. */
export class ResourceRouter {
  readonly #kinds: KindWatch;
  readonly #served: Served;
  readonly #virtual: ReadonlyMap<string, VirtualResource>;

  constructor(kinds: KindWatch, served: Served) {
    this.#kinds = kinds;
    this.#served = served;
    this.#virtual = new Map(
      served.virtual.map((each) => [`${each.group}/${each.version}/${each.plural}`, each] as const),
    );
  }

  async handle(exchange: Exchange, target: ResourceTarget): Promise<void> {
    const virtual = this.#virtual.get(`${target.group}/${target.version}/${target.resource}`);
    if (virtual !== undefined) {
      // `delete` and the like are no verbs of theirs.
      const handler = target.subresource === '' ? virtual.verbs[target.verb as 'get'] : undefined;
      if (handler === undefined) throw refusal(exchange, target, Object.keys(virtual.verbs));
      await handler(exchange);
      return;
    }
    const { kind, subresource } = this.#find(target);
    exchange.kindName = kind.kind;
    if (subresource === undefined) {
      if (!fits(kind.scope, target)) throw refusal(exchange, target, []);
      const handler = this.#served.verbs[target.verb as KindVerb];
      if (handler === undefined || !isFor(target)) throw methodNotAllowed(exchange.request.method ?? '', target.path);
      await handler({ exchange, target, kind });
      return;
    }
    const handler = subresource.verbs[target.verb as SubresourceVerb];
    if (handler === undefined) throw refusal(exchange, target, Object.keys(subresource.verbs));
    await handler({ exchange, target, kind });
  }

  async upgrade(exchange: Exchange, target: ResourceTarget, socket: Duplex, head: Buffer): Promise<void> {
    const { kind, subresource } = this.#find(target);
    if (subresource?.upgrade === undefined)
      throw notFound(`${target.path} is nothing that a connection can be upgraded for`);
    await subresource.upgrade({ exchange, target, kind }, socket, head);
  }

  #find(target: ResourceTarget) {
    const kind = this.#kinds.at(target.group, target.version, target.resource);
    if (kind === undefined) throw notFound();
    if (target.subresource === '') return { kind, subresource: undefined };
    const subresource = this.#served.subresources.find((each) => each.name === target.subresource && each.has(kind));
    if (subresource === undefined || (kind.scope === 'Namespaced' && target.namespace === '')) throw notFound();
    return { kind, subresource };
  }
}

/** One object of a kind that lives in namespaces is named with its namespace, and one that lives in none without. */
function fits(scope: 'Namespaced' | 'Cluster', { namespace, verb, name }: ResourceTarget): boolean {
  if (scope === 'Cluster') return namespace === '';
  return namespace !== '' || (name === '' && (verb === 'list' || verb === 'watch' || verb === 'deletecollection'));
}

/** One object is named, many are not; a watch by a path of its own may be of either. */
function isFor({ verb, name }: ResourceTarget): boolean {
  return verb === 'watch' || ['get', 'update', 'patch', 'delete'].includes(verb) === (name !== '');
}

function refusal({ request }: Exchange, { path }: ResourceTarget, verbs: readonly string[]) {
  return verbs.length === 0 ? notFound() : methodNotAllowed(request.method ?? '', path);
}
