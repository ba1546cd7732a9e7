import type { EventStream } from '@navarch/bus';
import type { KindDefinition, Kinds } from '@navarch/kinds';
import { ApiError, isApiError, type ObjectKey } from '@navarch/machinery';
import { type HistoryRequest, HistoryResponse, Resource } from '@navarch/proto';
import type { CachedObject } from '../cache/cached-object.ts';
import { kindNamed, namespaceOf, notFound } from '../read/resource-name.ts';
import type { ObjectSource, Past, Sources } from '../read/source.ts';
import { decodePastVersion, historySubject, keepsHistory } from './history-stream.ts';
import type { Timeline } from './timeline.ts';
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
    const readable = await addStored(past, kind, key, { revision, wanted }, versions, signal);
    const newest = versions.newest(wanted);
    if (newest.length === 0) throw notFound(kind, key.namespace, name);
    const entries: HistoryResponse['entries'] = [];
    let oldest = readable;
    for (const [index, { revision, resource, time, gap }] of newest.entries()) {
      // A version older than what was read may still be there.
      if (revision < oldest && (await isReadable(past, kind, key, revision, signal))) oldest = revision;
      const moment = time === '' && revision >= oldest ? await this.#options.timeline.at(revision, signal) : undefined;
      entries.push({
        revision,
        time: moment === undefined ? time : new Date(moment.atMs).toISOString(),
        stored: revision >= oldest,
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
        versions.add(resource.revision, resource);
        versions.addEnd(resource.revision, ended);
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

/** What the store has, from the newest version back. Gives the oldest revision that was read. */
async function addStored(
  past: Past,
  kind: KindDefinition,
  key: ObjectKey,
  { revision, wanted }: { revision: bigint; wanted: number },
  versions: Versions,
  signal: AbortSignal,
): Promise<bigint> {
  let readable = revision;
  let ended: bigint | undefined;
  for (let at = revision, found = 0; at > 0n && found < wanted; found++) {
    let object: CachedObject | undefined;
    try {
      object = await past.get(kind, key, at, signal);
    } catch (error) {
      if (isApiError(error, 'Expired')) break;
      throw error;
    }
    readable = at;
    if (object !== undefined) addVersion(versions, object, ended);
    // The store does not say when what is not there went.
    const next = object === undefined ? versions.deletionBefore(at) : object.revision;
    if (next === undefined) break;
    ended = next;
    at = next - 1n;
  }
  return readable;
}

async function isReadable(past: Past, kind: KindDefinition, key: ObjectKey, revision: bigint, signal: AbortSignal) {
  try {
    await past.get(kind, key, revision, signal);
    return true;
  } catch (error) {
    if (isApiError(error, 'Expired')) return false;
    throw error;
  }
}

function addVersion(versions: Versions, object: CachedObject, ended: bigint | undefined): void {
  versions.add(object.revision, Resource.decode(object.wire));
  if (ended !== undefined) versions.addEnd(object.revision, ended);
}
