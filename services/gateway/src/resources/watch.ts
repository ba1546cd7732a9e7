import { isApiError, JsonBuffer } from '@navarch/machinery';
import { Form, ListRequest, ResourcesService, RevisionMatch } from '@navarch/proto';
import type { ApiCalls } from '../api/api-calls.ts';
import { BodyStream } from '../http/body-stream.ts';
import { negotiate } from '../http/media.ts';
import { badRequest, statusOf } from '../http/status.ts';
import { readList } from '../json/list-response.ts';
import { readWatch } from '../json/watch-response.ts';
import { selectionOf } from './list.ts';
import { count, flag, revisionOf, shown } from './query.ts';
import type { ResourceHandler, ResourceRequest } from './resource-request.ts';
import { eventWriter } from './watch-events.ts';

/** A watch that names no time ends after a while; so that all do not end at once, after a little more or less. */
const shortestMs = 30 * 60_000;
/** How often one that wants bookmarks is told how far the changes are, when nothing it sees has changed. */
const bookmarkEveryMs = 30_000;

/** What a watch begins with. */
interface Beginning {
  /** Everything there is, or the changes after a revision. */
  readonly from: 'all' | 'now' | bigint;
  /** A bookmark tells the end of what there is. */
  readonly marked: boolean;
}

/**
 * Changes, each as a line of JSON, until the time is over or the client has gone. Source: the Kubernetes API concepts, "Efficient
 * detection of changes" and "Streaming lists".
 */
export function watchHandler(api: ApiCalls, random: () => number): ResourceHandler {
  return async (request) => {
    const { exchange, target, kind } = request;
    const { query } = exchange;
    exchange.withoutDeadline();
    const accepts = negotiate(exchange.request.headers.accept);
    const seconds = count(query, 'timeoutSeconds') ?? 0;
    const timeoutMs = seconds > 0 ? Math.min(seconds * 1000, 2 ** 31 - 1) : Math.round(shortestMs * (1 + random()));
    const beginning = beginningOf(query);
    const form = accepts.form === 'metadata' ? Form.METADATA : Form.FULL;
    const targets = [{ resource: kind.resource, ...selectionOf(target, query) }];
    const after = await revisionBefore(api, request, beginning);
    const late = AbortSignal.timeout(timeoutMs);
    const signal = AbortSignal.any([exchange.signal, late]);
    const stream = api.stream(ResourcesService.watch, { targets, after, form }, exchange, signal);
    await sendEvents(request, stream, { accepts, beginning, bookmarks: flag(query, 'allowWatchBookmarks') });
  };
}

function beginningOf(query: URLSearchParams): Beginning {
  const { revision = 0n, match } = revisionOf(query);
  if (!query.has('sendInitialEvents')) {
    if (match !== RevisionMatch.UNSPECIFIED)
      throw badRequest('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided');
    return { from: revision === 0n ? 'all' : revision, marked: false };
  }
  if (match !== RevisionMatch.NOT_OLDER_THAN) {
    const given = query.get('resourceVersionMatch') ?? '';
    throw badRequest(`sendInitialEvents requires resourceVersionMatch=NotOlderThan, not "${shown(given)}"`);
  }
  if (flag(query, 'sendInitialEvents')) return { from: 'all', marked: flag(query, 'allowWatchBookmarks') };
  return { from: revision === 0n ? 'now' : revision, marked: false };
}

/** The revision to watch after; 0n for everything there is. */
async function revisionBefore(
  api: ApiCalls,
  { exchange, kind }: ResourceRequest,
  { from }: Beginning,
): Promise<bigint> {
  if (from === 'all') return 0n;
  if (from !== 'now') return from;
  const request = { ...ListRequest.fromJSON({}), resource: kind.resource, limit: 1, form: Form.METADATA };
  return BigInt(readList(await api.read(ResourcesService.list, request, exchange)).revision);
}

async function sendEvents(
  { exchange, kind }: ResourceRequest,
  stream: AsyncIterable<Buffer>,
  how: { accepts: ReturnType<typeof negotiate>; beginning: Beginning; bookmarks: boolean },
): Promise<void> {
  const out = new JsonBuffer();
  const events = eventWriter(out, kind, how.accepts, exchange.query);
  let body: BodyStream | undefined;
  const begin = () => new BodyStream(exchange, 200, { 'content-type': 'application/json' }, { compress: false });
  let isMarked = !how.beginning.marked;
  let markedAt = Date.now();
  let revision = '0';
  try {
    for await (const message of stream) {
      body ??= begin();
      const response = readWatch(message);
      revision = response.revision;
      for (const event of response.events) events.change(event.type, response.bytes, event);
      if (!isMarked && !response.initial) {
        events.bookmark(revision, { isEndOfBeginning: true });
        isMarked = true;
        markedAt = Date.now();
      } else if (how.bookmarks && !response.initial && Date.now() - markedAt >= bookmarkEveryMs) {
        events.bookmark(revision);
        markedAt = Date.now();
      }
      if (out.length > 0) await body.write(out.take());
    }
    body ??= begin();
    if (how.bookmarks && isMarked && revision !== '0' && !exchange.signal.aborted) {
      events.bookmark(revision);
      await body.write(out.take());
    }
  } catch (error) {
    // Before the first line, the answer itself can say it; that history is gone is said in the stream at all times.
    if (exchange.signal.aborted || (body === undefined && !isApiError(error, 'Expired'))) throw error;
    body ??= begin();
    events.error(statusOf(error));
    await body.write(out.take());
  }
  await body.end();
}
