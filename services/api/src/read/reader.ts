import type { Kinds } from '@navarch/kinds';
import type { Clock } from '@navarch/kit';
import { ApiError, isApiError } from '@navarch/machinery';
import { Form, type GetRequest, type ListRequest, TableResponse, type WatchRequest } from '@navarch/proto';
import type { CachedObject } from '../cache/cached-object.ts';
import type { ObjectCache } from '../cache/object-cache.ts';
import { encodeList } from '../wire/responses.ts';
import { decodeContinue, encodeContinue } from './continue-token.ts';
import { Page } from './page.ts';
import { kindNamed, namespaceOf, notFound } from './resource-name.ts';
import { type RevisionRule, revisionRule } from './revision-rule.ts';
import { select, type Target } from './selection.ts';
import type { ObjectSource, Sources } from './source.ts';
import { revisionForgotten } from './store-past.ts';
import { tableOf } from './table.ts';
import { Watcher } from './watcher.ts';

const forms: readonly Form[] = [Form.UNSPECIFIED, Form.FULL, Form.METADATA];

/** Each change is held against each of a watch's targets. */
const maxTargets = 100;

/** Reads of every kind, as fresh as the store unless they ask for another revision. Answers are encoded messages. */
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
  async get({ resource, namespace, name, revision, match, form }: GetRequest, signal: AbortSignal): Promise<Buffer> {
    const kind = kindNamed(this.#kinds, resource);
    const source = this.#sources.of(kind);
    const key = { namespace: namespaceOf(kind, namespace), name };
    if (name === '') throw new ApiError('BadRequest', 'name must be set');
    checkForm(form);
    const rule = revisionRule({ revision, match, limit: 0, continue: '' });
    const at = await settle(source, rule, signal);
    const object = await inPast(
      source,
      at,
      () => source.cache.getAt(kind, key.namespace, name, at),
      (past) => past.get(kind, key, at, signal),
    );
    if (object === undefined) throw notFound(kind, name);
    return object.as(form);
  }

  /** An encoded ListResponse. */
  async list(request: ListRequest, signal: AbortSignal): Promise<Buffer> {
    const { revision, page, token } = await this.#page(request, signal);
    return encodeList(
      revision,
      page.items.map((object) => object.as(request.form)),
      token,
    );
  }

  /** An encoded TableResponse. */
  async table(request: ListRequest, signal: AbortSignal): Promise<Buffer> {
    const { revision, page, token, kind } = await this.#page(request, signal);
    const form = request.form === Form.FULL ? Form.FULL : Form.METADATA;
    const table = { ...tableOf(kind, page.items, form, this.#clock.now()), revision, continue: token };
    return Buffer.from(TableResponse.encode(table).finish());
  }

  async #page(request: ListRequest, signal: AbortSignal) {
    const selection = select(this.#kinds, request);
    const { kind, namespace } = selection;
    const { limit, form } = request;
    if (limit < 0) throw new ApiError('BadRequest', `limit must be 0 or more, not ${limit}`);
    checkForm(form);
    const rule = revisionRule(request);
    const from = rule.at === 'continue' ? decodeContinue(request.continue) : undefined;
    const source = this.#sources.of(kind);
    const { cache } = source;
    const revision = await settle(source, from === undefined ? rule : { at: 'exact', revision: from.revision }, signal);
    const page = await inPast(
      source,
      revision,
      () => {
        const isNow = revision === cache.revision;
        const all = isNow ? cache.list(kind, namespace, from) : cache.listAt(kind, namespace, revision, from);
        const page = new Page(selection, limit);
        for (const object of all) if (!page.offer(object)) break;
        return page;
      },
      async (past) => {
        const page = new Page(selection, limit);
        for await (const object of past.list(kind, { namespace, after: from }, revision, signal)) {
          if (!page.offer(object)) break;
        }
        return page;
      },
    );
    const token = page.next === undefined ? '' : encodeContinue({ revision, ...page.next });
    return { revision, page, token, kind };
  }

  /** Every object that a collection's deletion chooses. */
  async select(target: Target, signal: AbortSignal): Promise<readonly CachedObject[]> {
    const selection = select(this.#kinds, target);
    const source = this.#sources.of(selection.kind);
    await source.fresh(signal);
    return [...source.cache.list(selection.kind, selection.namespace)].filter((object) => selection.matches(object));
  }

  /** The way through the changes that a watch asks for, from which WatchResponses are taken. */
  async watch(
    { targets, after, form }: WatchRequest,
    signal: AbortSignal,
  ): Promise<{ watcher: Watcher; cache: ObjectCache }> {
    if (targets.length === 0) throw new ApiError('BadRequest', 'targets must name at least one kind to watch');
    checkForm(form);
    if (targets.length > maxTargets) {
      throw new ApiError('BadRequest', `a watch has at most ${maxTargets} targets, not ${targets.length}`);
    }
    if (after < 0n) throw new ApiError('BadRequest', `after must be 0 or a revision, not ${after}`);
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
    return { watcher: new Watcher({ cache, selections, after, form, clock: this.#clock }), cache };
  }
}

/** Waits until the cache is as new as `rule` wants, and gives the revision to read at. */
async function settle(source: ObjectSource, rule: RevisionRule, signal: AbortSignal): Promise<bigint> {
  const { cache } = source;
  if (rule.at === 'any' && cache.filled) return cache.revision;
  const wanted = 'revision' in rule ? rule.revision : undefined;
  // What the cache has seen need not be asked for.
  if (wanted === undefined || !cache.filled || wanted > cache.revision) {
    const newest = await source.fresh(signal);
    if (wanted !== undefined && wanted > newest) {
      const why = `revision ${wanted} is newer than the newest, ${newest}: it is from a store that was reset or restored`;
      throw new ApiError('Expired', `${why}; read without a revision, or list again from the start`);
    }
  }
  return rule.at === 'exact' ? rule.revision : cache.revision;
}

/** What the cache still knows of a revision, or else what its source does. */
async function inPast<T>(
  { past }: ObjectSource,
  revision: bigint,
  fromCache: () => T,
  fromSource: (past: NonNullable<ObjectSource['past']>) => Promise<T>,
): Promise<T> {
  try {
    return fromCache();
  } catch (error) {
    if (!isApiError(error, 'Expired')) throw error;
    if (past === undefined) throw revisionForgotten(revision, error);
    return await fromSource(past);
  }
}

function checkForm(form: Form): void {
  if (!forms.includes(form)) throw new ApiError('BadRequest', `form ${form} is unknown: it is FULL or METADATA`);
}
