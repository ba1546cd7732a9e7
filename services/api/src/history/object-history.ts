import type { EventStream } from '@navarch/bus';
import type { KindDefinition, Kinds } from '@navarch/kinds';
import { ApiError, isApiError, type ObjectKey } from '@navarch/machinery';
import { type HistoryRequest, HistoryResponse, Resource } from '@navarch/proto';
import { CachedObject } from '../cache/cached-object.ts';
import { kindNamed, namespaceOf, notFound } from '../read/resource-name.ts';
import type { ObjectSource, Sources } from '../read/source.ts';
import { decodePastVersion, historySubject, keepsHistory } from './history-stream.ts';
import { storageKey } from '../storage/keys.ts';
import type { Timeline } from './timeline.ts';
import { StoredPast } from './stored-past.ts';
import { Versions } from './versions.ts';
import { writtenBy } from './written-by.ts';

const defaultLimit = 10;
const maxLimit = 100;

interface ObjectHistoryOptions {
  readonly kinds: Kinds;
  readonly sources: Sources;
  readonly stream: EventStream;
  readonly timeline: Timeline;
  readonly clusterId: () => string;
}

/** What is known of one object's past: what the store still has, what the cache has seen, and what was kept on the bus. */
export class ObjectHistory {
  readonly #options: ObjectHistoryOptions;

  constructor(options: ObjectHistoryOptions) {
    this.#options = options;
  }

  /** An encoded HistoryResponse. */
  async of({ resource, namespace, name, limit }: HistoryRequest, signal: AbortSignal): Promise<Buffer> {
    const kind = kindNamed(this.#options.kinds, resource);
    const key = { namespace: namespaceOf(kind, namespace), name };
    if (name === '') throw new ApiError('BadRequest', 'name must be set');
    if (limit < 0 || limit > maxLimit)
      throw new ApiError('BadRequest', `limit must be from 0 to ${maxLimit}, not ${limit}`);
    const wanted = limit === 0 ? defaultLimit : limit;
    const source = this.#options.sources.of(kind);
    const { past } = source;
    if (past === undefined)
      throw new ApiError('BadRequest', `${kind.plural} have no history: only their newest state is kept`);
    const revision = await source.fresh(signal);
    const versions = new Versions();
    const warning = await this.#addKept(kind, key, revision, versions, signal);
    addSeen(source, kind, key, versions);
    const stored = new StoredPast(past, kind, key);
    await addStored(stored, { revision, wanted }, versions, signal);
    const newest = versions.newest(wanted);
    if (newest.length === 0) throw notFound(kind, name);
    const entries: HistoryResponse['entries'] = [];
    for (const [index, { revision, resource, time, gap }] of newest.entries()) {
      const readable = await stored.knows(revision, signal);
      const moment = time === '' && readable ? await this.#options.timeline.at(revision, signal) : undefined;
      entries.push({
        revision,
        time: moment === undefined ? time : new Date(moment.atMs).toISOString(),
        stored: readable,
        manager: resource === undefined ? '' : writtenBy(kind, resource, gap ? undefined : newest[index + 1]?.resource),
        resource,
        deleted: resource === undefined,
        gap,
      });
    }
    return Buffer.from(HistoryResponse.encode({ revision, entries, warning }).finish());
  }

  /** What was kept on the bus. Gives the reason why there may be more than what could be read. */
  async #addKept(
    kind: KindDefinition,
    key: ObjectKey,
    newest: bigint,
    versions: Versions,
    signal: AbortSignal,
  ): Promise<string> {
    if (!keepsHistory(kind)) return `older versions of ${kind.plural} are not kept: this is what the store still has`;
    try {
      for (const message of await this.#options.stream.readSubject(historySubject(kind, key), signal)) {
        const { clusterId, ended, endedTime, deleted, resource } = decodePastVersion(message);
        if (clusterId !== this.#options.clusterId() || resource === undefined || ended > newest) continue;
        const about = { kind, key: storageKey(kind, key), ...key, revision: resource.revision };
        // In the version of the kind that was asked for.
        const object = new CachedObject(about, Resource.encode({ ...resource, revision: 0n }).finish());
        addVersion(versions, object, ended);
        versions.addTime(ended, endedTime);
        if (deleted) versions.addDeletion(ended);
      }
      return '';
    } catch (error) {
      if (!isApiError(error, 'Unavailable', 'Timeout')) throw error;
      return 'older versions are kept in NATS, which can not be read just now: this is what the store still has';
    }
  }
}

/** What the cache has seen happen. */
function addSeen({ cache }: ObjectSource, kind: KindDefinition, key: ObjectKey, versions: Versions): void {
  for (const { revision, before, after } of cache.changesOf(kind, key.namespace, key.name)) {
    if (before !== undefined) addVersion(versions, before, revision);
    if (after === undefined) versions.addDeletion(revision);
    else addVersion(versions, after, undefined);
  }
}

function addVersion(versions: Versions, object: CachedObject, ended: bigint | undefined): void {
  versions.add(object.revision, Resource.decode(object.wire));
  if (ended !== undefined) versions.addEnd(object.revision, ended);
}

/** What the store has, from the newest version back. */
async function addStored(
  stored: StoredPast,
  { revision, wanted }: { revision: bigint; wanted: number },
  versions: Versions,
  signal: AbortSignal,
): Promise<void> {
  let ended: bigint | undefined;
  for (let at = revision, found = 0; found < wanted; found++) {
    const object = await stored.at(at, signal);
    if (object === 'forgotten') return;
    if (object !== 'absent') addVersion(versions, object, ended);
    const next =
      object === 'absent'
        ? (versions.deletionBefore(at) ?? (await stored.deletionBefore(at, signal)))
        : object.revision;
    if (next === undefined) return;
    if (object === 'absent') versions.addDeletion(next);
    ended = next;
    at = next - 1n;
  }
}
