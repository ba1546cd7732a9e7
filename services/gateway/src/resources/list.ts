import type { KindDefinition } from '@navarch/kinds';
import { JsonBuffer } from '@navarch/machinery';
import { Form, ListRequest, ResourcesService, RevisionMatch } from '@navarch/proto';
import type { ApiCalls } from '../api/api-calls.ts';
import { BodyStream } from '../http/body-stream.ts';
import type { Exchange } from '../http/exchange.ts';
import { type Accepts, negotiate } from '../http/media.ts';
import { isPretty } from '../http/reply.ts';
import { type EncodedList, readList } from '../json/list-response.ts';
import { writeObject } from '../json/object-json.ts';
import { tableJson } from '../json/table-json.ts';
import { includedOf } from './included.ts';
import { count, revisionOf } from './query.ts';
import type { ResourceHandler, ResourceRequest } from './resource-request.ts';
import { sendText } from './send-object.ts';

/** Of a list with a limit, at most so many objects are answered at once. */
const mostAtOnce = 1_000;
/** A whole list is read from the api in pieces: the first of so many objects, the others by what these take. */
const firstPiece = 500;
const pieceBytes = 4 * 1024 * 1024;
/** What is written before it is handed on. */
const flushBytes = 64 * 1024;

/** Many objects. What the api has in pieces is answered as one list, each piece as it comes. */
export function listHandler(api: ApiCalls): ResourceHandler {
  return async (request) => {
    const { exchange, kind } = request;
    const accepts = negotiate(exchange.request.headers.accept);
    const first = listRequest(request, accepts);
    // Whoever gives no limit gets all, at one revision.
    const isWhole = first.limit === 0;
    const piece = await readPiece(api, { ...first, ...(isWhole && wholeInPieces(first)) }, exchange);
    if (!isWhole || piece.continueToken === '') await answerAtOnce(request, accepts, piece);
    else await answerInPieces(api, { exchange, kind, accepts }, first, piece);
  };
}

function listRequest({ exchange, target, kind }: ResourceRequest, accepts: Accepts): ListRequest {
  const { query } = exchange;
  return {
    ...ListRequest.fromJSON({}),
    ...selectionOf(target, query),
    resource: kind.resource,
    limit: Math.min(count(query, 'limit') ?? 0, mostAtOnce),
    continue: query.get('continue') ?? '',
    ...revisionOf(query),
    form: accepts.form === 'metadata' ? Form.METADATA : Form.FULL,
  };
}

/** What lists, watches and deletions of many choose by. A name in the path chooses by it, as in /watch/…/name. */
export function selectionOf(target: { namespace: string; name: string }, query: URLSearchParams) {
  const fields = query.get('fieldSelector') ?? '';
  const byName = target.name === '' ? '' : `metadata.name=${target.name}`;
  return {
    namespace: target.namespace,
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: [fields, byName].filter((text) => text !== '').join(','),
  };
}

/** A limit would give another meaning to a revision without a match; this keeps the one that it had. */
function wholeInPieces({ revision, match }: ListRequest): Partial<ListRequest> {
  const isNotOlder = revision !== undefined && match === RevisionMatch.UNSPECIFIED;
  return { limit: firstPiece, ...(isNotOlder && { match: RevisionMatch.NOT_OLDER_THAN }) };
}

async function readPiece(api: ApiCalls, request: ListRequest, exchange: Exchange): Promise<EncodedList> {
  return readList(await api.read(ResourcesService.list, request, exchange));
}

async function answerAtOnce({ exchange, kind }: ResourceRequest, accepts: Accepts, piece: EncodedList): Promise<void> {
  const metadata = {
    resourceVersion: piece.revision,
    ...(piece.continueToken !== '' && { continue: piece.continueToken }),
  };
  if (accepts.form === 'table') {
    const options = { included: includedOf(exchange.query), now: Date.now(), withColumns: true };
    await sendText(exchange, accepts, 200, tableJson(kind, itemsOf(piece), options, metadata));
    return;
  }
  const out = new JsonBuffer(piece.bytes.length * 2 + 1024);
  out.text(`${headOf(kind, accepts)},"metadata":${JSON.stringify(metadata)},"items":[`);
  writeItems(out, kind, accepts, piece);
  out.ascii(']}\n');
  await sendText(exchange, accepts, 200, out.take());
}

/** A list that is read in pieces is answered in pieces, too; its metadata says what the first piece knew. */
async function answerInPieces(
  api: ApiCalls,
  { exchange, kind, accepts }: { exchange: Exchange; kind: KindDefinition; accepts: Accepts },
  first: ListRequest,
  begun: EncodedList,
): Promise<void> {
  if (accepts.form === 'table' || accepts.yaml || isPretty(exchange)) {
    await answerWhole(api, { exchange, kind, accepts }, first, begun);
    return;
  }
  const body = new BodyStream(exchange, 200, { 'content-type': 'application/json' });
  const out = new JsonBuffer(flushBytes * 2);
  out.text(`${headOf(kind, accepts)},"metadata":${JSON.stringify({ resourceVersion: begun.revision })},"items":[`);
  for await (const piece of pieces(api, exchange, first, begun)) {
    if (piece !== begun && piece.items.length > 0) out.ascii(',');
    await writeItemsTo(body, out, kind, accepts, piece);
  }
  out.ascii(']}\n');
  await body.write(out.take());
  await body.end();
}

async function writeItemsTo(
  body: BodyStream,
  out: JsonBuffer,
  kind: KindDefinition,
  accepts: Accepts,
  { bytes, items }: EncodedList,
): Promise<void> {
  const form = { kind, metadataOnly: accepts.form === 'metadata', typed: false };
  for (let at = 0; at < items.length; at += 2) {
    if (at > 0) out.ascii(',');
    writeObject(out, form, bytes, items[at], items[at + 1]);
    if (out.length >= flushBytes) await body.write(out.take());
  }
}

/** What has to be one text is put together first. */
async function answerWhole(
  api: ApiCalls,
  { exchange, kind, accepts }: { exchange: Exchange; kind: KindDefinition; accepts: Accepts },
  first: ListRequest,
  begun: EncodedList,
): Promise<void> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces(api, exchange, first, begun)) all.push(...itemsOf(piece));
  const metadata = { resourceVersion: begun.revision };
  if (accepts.form === 'table') {
    const options = { included: includedOf(exchange.query), now: Date.now(), withColumns: true };
    await sendText(exchange, accepts, 200, tableJson(kind, all, options, metadata));
    return;
  }
  const out = new JsonBuffer();
  out.text(`${headOf(kind, accepts)},"metadata":${JSON.stringify(metadata)},"items":[`);
  const form = { kind, metadataOnly: accepts.form === 'metadata', typed: false };
  for (const [index, bytes] of all.entries()) {
    if (index > 0) out.ascii(',');
    writeObject(out, form, bytes);
  }
  out.ascii(']}');
  await sendText(exchange, accepts, 200, out.take());
}

/** The pieces of a list, of which the first is there already. The next one is asked for while one is written. */
async function* pieces(api: ApiCalls, exchange: Exchange, first: ListRequest, begun: EncodedList) {
  const { revision: _, ...rest } = first;
  let piece = begun;
  for (;;) {
    const { continueToken } = piece;
    if (continueToken === '') {
      yield piece;
      return;
    }
    const request = { ...rest, revision: undefined, match: RevisionMatch.UNSPECIFIED, limit: sizeAfter(piece) };
    const next = readPiece(api, { ...request, continue: continueToken }, exchange);
    next.catch(() => undefined); // awaited below, unless the reader is gone
    yield piece;
    piece = await next;
  }
}

/** How many objects the next piece holds, if they are as large as those of this one. */
function sizeAfter({ bytes, items }: EncodedList): number {
  const each = bytes.length / Math.max(items.length / 2, 1);
  return Math.min(Math.max(Math.floor(pieceBytes / each), 50), 10_000);
}

function* itemsOf({ bytes, items }: EncodedList): Generator<Uint8Array, void, void> {
  for (let at = 0; at < items.length; at += 2) yield bytes.subarray(items[at], items[at + 1]);
}

function writeItems(out: JsonBuffer, kind: KindDefinition, accepts: Accepts, { bytes, items }: EncodedList): void {
  const form = { kind, metadataOnly: accepts.form === 'metadata', typed: false };
  for (let at = 0; at < items.length; at += 2) {
    if (at > 0) out.ascii(',');
    writeObject(out, form, bytes, items[at], items[at + 1]);
  }
}

function headOf(kind: KindDefinition, { form }: Accepts): string {
  return form === 'metadata'
    ? '{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1"'
    : `{"kind":${JSON.stringify(`${kind.kind}List`)},"apiVersion":${JSON.stringify(kind.apiVersion)}`;
}
