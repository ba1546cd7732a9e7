import type { DescExtension, DescField, FileRegistry } from '@bufbuild/protobuf';
import { getOption, hasOption } from '@bufbuild/protobuf';
import type { FormatName } from './formats.ts';

/** What the options of navarch/meta/v1/options.proto say about a field. */
export interface FieldRules {
  /** The JSON value that an absent field gets. */
  readonly default: string | number | boolean | undefined;
  readonly required: boolean;
  readonly immutable: boolean;
  /** For a list of messages: the field, as in a manifest, that tells its items apart. */
  readonly mergeKey: string | undefined;
  /** Empty when every value is allowed. */
  readonly allowed: readonly string[];
  readonly format: FormatName | undefined;
  readonly keyFormat: FormatName | undefined;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly outputOnly: boolean;
  /** Owned as one thing by whoever sets any of it. */
  readonly atomic: boolean;
  /** A list of scalars that is a set. */
  readonly set: boolean;
  /** The fields that together tell the items of a list apart for server-side apply; the merge key unless more are needed. */
  readonly listKeys: readonly string[];
}

/** The rules of a field that has none. */
export const noRules: FieldRules = {
  default: undefined,
  required: false,
  immutable: false,
  mergeKey: undefined,
  allowed: [],
  format: undefined,
  keyFormat: undefined,
  min: undefined,
  max: undefined,
  outputOnly: false,
  atomic: false,
  set: false,
  listKeys: [],
};

export function readRules(registry: FileRegistry, field: DescField): FieldRules {
  const read = (name: string): unknown => {
    const extension: DescExtension | undefined = registry.getExtension(`navarch.meta.v1.${name}`);
    return extension !== undefined && hasOption(field, extension) ? getOption(field, extension) : undefined;
  };
  const text = (name: string) => read(name) as string | undefined; // the options' types, as options.proto declares them
  const format = (name: string) => {
    const number = read(name) as number | undefined;
    if (number === undefined) return undefined;
    const value = registry.getEnum('navarch.meta.v1.Format')?.value[number];
    return value?.name.replace(/^FORMAT_/, '') as FormatName; // formats.ts has a rule for each
  };
  const integer = (name: string) => {
    const value = read(name) as bigint | undefined;
    return value === undefined ? undefined : Number(value);
  };
  const texts = (name: string) => (read(name) as string[] | undefined) ?? [];
  const defaultJson = text('default_json');
  const mergeKey = text('merge_key');
  const listKeys = texts('list_keys');
  return {
    default: defaultJson === undefined ? undefined : (JSON.parse(defaultJson) as FieldRules['default']), // scalars only
    required: read('required') === true,
    immutable: read('immutable') === true,
    mergeKey,
    allowed: texts('allowed'),
    format: format('format'),
    keyFormat: format('key_format'),
    min: integer('min'),
    max: integer('max'),
    outputOnly: read('output_only') === true,
    atomic: read('atomic') === true,
    set: read('set') === true,
    listKeys: listKeys.length > 0 || mergeKey === undefined ? listKeys : [mergeKey],
  };
}
