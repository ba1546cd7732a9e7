import type { KindDefinition } from '@navarch/kinds';
import { JsonBuffer } from '@navarch/machinery';
import type { Accepts } from '../http/media.ts';
import type { Status } from '../http/status.ts';
import { writeObject } from '../json/object-json.ts';
import { tableJson } from '../json/table-json.ts';
import { includedOf } from './included.ts';
import { KnownLines } from './known-lines.ts';

const types = ['ERROR', 'ADDED', 'MODIFIED', 'DELETED'] as const;

const lines = new KnownLines();
const scratch = new JsonBuffer();

/** Writes the lines of a watch, each ended. */
export interface EventWriter {
  change(type: number, bytes: Buffer, place: { readonly start: number; readonly end: number }): void;
  /** How far the changes are; `isEndOfBeginning` for the one that ends what there was. */
  bookmark(revision: string, options?: { isEndOfBeginning: boolean }): void;
  error(status: Status): void;
}

export function eventWriter(
  out: JsonBuffer,
  kind: KindDefinition,
  { form }: Accepts,
  query: URLSearchParams,
): EventWriter {
  const included = includedOf(query);
  const objectForm = { kind, metadataOnly: form === 'metadata', typed: true };
  let hasColumns = false;
  const table = (resources: Iterable<Uint8Array>, resourceVersion?: string) => {
    const options = { included, now: Date.now(), withColumns: !hasColumns };
    hasColumns = true;
    out.raw(tableJson(kind, resources, options, resourceVersion === undefined ? {} : { resourceVersion }));
  };
  return {
    change: (type, bytes, { start, end }) => {
      const name = types[type] ?? 'ERROR';
      if (form === 'table') {
        out.ascii(`{"type":"${name}","object":`);
        table([bytes.subarray(start, end)]);
        out.ascii('}\n');
        return;
      }
      const line = lines.line(`${kind.apiVersion} ${kind.kind} ${form} ${name} `, bytes, start, end, () => {
        scratch.ascii(`{"type":"${name}","object":`);
        writeObject(scratch, objectForm, bytes, start, end);
        scratch.ascii('}\n');
        return scratch.take();
      });
      out.raw(line);
    },
    bookmark: (resourceVersion, options) => {
      out.ascii('{"type":"BOOKMARK","object":');
      if (form === 'table') table([], resourceVersion);
      else out.text(JSON.stringify(bookmarkObject(kind, form, resourceVersion, options?.isEndOfBeginning ?? false)));
      out.ascii('}\n');
    },
    error: (status) => out.text(`${JSON.stringify({ type: 'ERROR', object: status })}\n`),
  };
}

function bookmarkObject(kind: KindDefinition, form: Accepts['form'], resourceVersion: string, isEnd: boolean) {
  const typed =
    form === 'metadata'
      ? { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' }
      : { kind: kind.kind, apiVersion: kind.apiVersion };
  // Typed clients of Kubernetes read a null there for "never".
  const metadata = {
    resourceVersion,
    creationTimestamp: null,
    ...(isEnd && { annotations: { 'k8s.io/initial-events-end': 'true' } }),
  };
  return { ...typed, metadata };
}
