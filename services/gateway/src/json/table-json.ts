import { type KindDefinition, liveObject, tableColumns } from '@navarch/kinds';
import { JsonBuffer, type KubeObject } from '@navarch/machinery';
import { Resource } from '@navarch/proto';
import type { Included } from '../resources/included.ts';
import { writeObject } from './object-json.ts';

export interface TableOptions {
  readonly included: Included;
  /** Milliseconds: ages are told from it. */
  readonly now: number;
  /** A watch says the columns only once. */
  readonly withColumns: boolean;
}

/** What stands in a list's metadata. */
export interface ListMeta {
  readonly resourceVersion?: string;
  readonly continue?: string;
}

const columnTexts = new WeakMap<KindDefinition, string>();

/** meta.k8s.io/v1 Table of encoded Resources of a kind. */
export function tableJson(
  kind: KindDefinition,
  resources: Iterable<Uint8Array>,
  options: TableOptions,
  metadata: ListMeta = {},
): Buffer {
  const out = new JsonBuffer(16 * 1024);
  out.text(
    `{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":${JSON.stringify(metadata)},"columnDefinitions":${
      options.withColumns ? columnsText(kind) : '[]'
    },"rows":[`,
  );
  let any = false;
  for (const bytes of resources) {
    if (any) out.ascii(',');
    any = true;
    writeRow(out, kind, bytes, options);
  }
  out.ascii(']}');
  return out.take();
}

export function writeRow(out: JsonBuffer, kind: KindDefinition, bytes: Uint8Array, options: TableOptions): void {
  const resource = Resource.decode(bytes);
  const object: KubeObject = liveObject(resource);
  const cells = tableColumns(kind, true).map((column) => column.value(object, options.now));
  out.text(`{"cells":${JSON.stringify(cells)}`);
  if (options.included !== 'None') {
    out.ascii(',"object":');
    if (options.included === 'Object') writeObject(out, { kind, metadataOnly: false, typed: true }, bytes);
    else writePartial(out, kind, resource);
  }
  out.ascii('}');
}

function writePartial(out: JsonBuffer, kind: KindDefinition, { revision, object }: Resource): void {
  const value = { metadata: object?.value.metadata, apiVersion: '', kind: '' };
  const partial = Resource.encode({ revision, object: { $case: 'partial', value } }).finish();
  writeObject(out, { kind, metadataOnly: true, typed: true }, partial);
}

function columnsText(kind: KindDefinition): string {
  let text = columnTexts.get(kind);
  if (text === undefined) {
    text = JSON.stringify(
      tableColumns(kind, true).map(({ title, type = 'string', description = '', wide = false }) => ({
        name: titleCase(title),
        type,
        format: title === 'NAME' ? 'name' : '',
        description,
        priority: wide ? 1 : 0,
      })),
    );
    columnTexts.set(kind, text);
  }
  return text;
}

/** 'LAST SEEN' as a table of Kubernetes has it: 'Last Seen'. Printers put it in capitals again. */
function titleCase(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/(^|[\s-])([a-z])/g, (_, before: string, letter: string) => before + letter.toUpperCase());
}
