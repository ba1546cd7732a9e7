import type { Kinds } from '@navarch/kinds';
import type { Clock } from '@navarch/kit';
import { ApiError } from '@navarch/machinery';
import type { GetRequest, ListRequest, WatchRequest } from '@navarch/proto';
import type { CachedObject } from '../cache/cached-object.ts';
import { byNamespaceAndName, type ObjectCache } from '../cache/object-cache.ts';
import { encodeList } from '../wire/responses.ts';
import { decodeContinue, encodeContinue } from './continue-token.ts';
import { kindNamed, namespaceOf, notFound } from './resource-name.ts';
import { select, type Selection, type Target } from './selection.ts';
import type { Sources } from './source.ts';
import { Watcher } from './watcher.ts';

/** A list's answer ends about here, whatever its limit, and says how to go on: gRPC messages must not be larger than 64 MiB. */
const maxPageBytes = 32 * 1024 * 1024;

/** Reads of every kind, as fresh as the store. Answers are encoded messages. */
export class Reader {
  readonly #kinds: Kinds;
  readonly #sources: Sources;
  readonly #clock: Clock;

  constructor(options: { kinds: Kinds; sources: Sources; clock: Clock }) {
    this.#kinds = options.kinds;
    this.#sources = options.sources;
    this.#clock = options.clock;
  }

  /** An encoded Resource. */
  async get({ resource, namespace, name }: GetRequest, signal: AbortSignal): Promise<Buffer> {
    const kind = kindNamed(this.#kinds, resource);
    const { cache, fresh } = this.#source(kind);
    const within = namespaceOf(kind, namespace);
    if (name === '') throw new ApiError('BadRequest', 'name must be set');
    await fresh(signal);
    const object = cache.get(kind, within, name);
    if (object === undefined) throw notFound(kind, within, name);
    return object.wire;
  }

  /** An encoded ListResponse. */
  async list(request: ListRequest, signal: AbortSignal): Promise<Buffer> {
    const selection = select(this.#kinds, request);
    if (request.limit < 0) throw new ApiError('BadRequest', `limit must be 0 or more, not ${request.limit}`);
    const { cache, fresh } = this.#source(selection.kind);
    const newest = await fresh(signal);
    const from = request.continue === '' ? undefined : decodeContinue(request.continue);
    if (from !== undefined && from.revision > newest) {
      throw new ApiError('Expired', 'continue is from a store that is no longer there; list again from the start');
    }
    const revision = from?.revision ?? cache.revision;
    const all =
      revision === cache.revision
        ? cache.list(selection.kind, selection.namespace)
        : cache.listAt(selection.kind, selection.namespace, revision);
    const page = pageOf(all, selection, from, request.limit);
    const last = page.items.at(-1);
    const token = page.more && last ? encodeContinue({ revision, namespace: last.namespace, name: last.name }) : '';
    return encodeList(
      revision,
      page.items.map(({ wire }) => wire),
      token,
    );
  }

  /** Every object that a collection's deletion chooses. */
  async select(target: Target, signal: AbortSignal): Promise<readonly CachedObject[]> {
    const selection = select(this.#kinds, target);
    const { cache, fresh } = this.#source(selection.kind);
    await fresh(signal);
    return [...cache.list(selection.kind, selection.namespace)].filter((object) => selection.matches(object));
  }

  /** The way through the changes that a watch asks for, from which WatchResponses are taken. */
  async watch(
    { targets, after }: WatchRequest,
    signal: AbortSignal,
  ): Promise<{ watcher: Watcher; cache: ObjectCache }> {
    if (targets.length === 0) throw new ApiError('BadRequest', 'targets must name at least one kind to watch');
    const selections = targets.map((target) => select(this.#kinds, target));
    const [source, ...others] = new Set(selections.map(({ kind }) => this.#sources.of(kind)));
    if (source === undefined || others.length > 0) {
      throw new ApiError('BadRequest', 'events have revisions of their own: watch them on a stream of their own');
    }
    const { cache } = source;
    const newest = await source.fresh(signal);
    if (after > newest) {
      throw new ApiError('Expired', `revision ${after} is newer than the newest, ${newest}; list again`);
    }
    return { watcher: new Watcher({ cache, selections, after, clock: this.#clock }), cache };
  }

  #source(kind: Selection['kind']): { cache: ObjectCache; fresh: (signal: AbortSignal) => Promise<bigint> } {
    const source = this.#sources.of(kind);
    return { cache: source.cache, fresh: (signal) => source.fresh(signal) };
  }
}

function pageOf(
  objects: Iterable<CachedObject>,
  selection: Selection,
  after: { namespace: string; name: string } | undefined,
  limit: number,
): { items: CachedObject[]; more: boolean } {
  const items: CachedObject[] = [];
  let bytes = 0;
  for (const object of objects) {
    if (after !== undefined && byNamespaceAndName(object, after) <= 0) continue;
    if (!selection.matches(object)) continue;
    if ((limit > 0 && items.length === limit) || bytes >= maxPageBytes) return { items, more: true };
    items.push(object);
    bytes += object.wire.length;
  }
  return { items, more: false };
}
