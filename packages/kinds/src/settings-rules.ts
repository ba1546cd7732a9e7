import { type FieldError, formatPath } from '@navarch/machinery';

type Data = Readonly<Record<string, string | Uint8Array>>;
type Settings = { readonly immutable?: boolean | undefined };

/** ConfigMaps and Secrets hold at most `limit` bytes of values. */
export function dataBytesAtMost(limit: number, data: Data): FieldError[] {
  let bytes = 0;
  for (const value of Object.values(data)) bytes += typeof value === 'string' ? Buffer.byteLength(value) : value.length;
  return bytes > limit ? [{ path: 'data', message: `must hold at most ${limit} bytes in all, not ${bytes}` }] : [];
}

/** A key stands in one of the maps only. */
export function keysOnlyOnce({ data, binaryData }: { data: Data; binaryData: Data }): FieldError[] {
  return Object.keys(binaryData)
    .filter((key) => key in data)
    .map((key) => ({ path: formatPath(['binaryData', key]), message: 'the key also stands in data' }));
}

/** Once `immutable` is true, neither it nor the data changes. */
export function frozenWhenImmutable<T extends Settings>(
  next: T,
  previous: T,
  fields: readonly (keyof T & string)[],
): FieldError[] {
  if (previous.immutable !== true) return [];
  if (next.immutable !== true) return [{ path: 'immutable', message: 'can not be unset: delete the object instead' }];
  // The fields named are maps of texts or bytes.
  return fields
    .filter((field) => !sameData(next[field] as Data, previous[field] as Data))
    .map((path) => ({ path, message: 'can not be changed, because immutable is set' }));
}

function sameData(a: Data, b: Data): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => sameValue(a[key], b[key]));
}

function sameValue(a: string | Uint8Array | undefined, b: string | Uint8Array | undefined): boolean {
  if (typeof a === 'string' || typeof b === 'string' || a === undefined || b === undefined) return a === b;
  return Buffer.compare(a, b) === 0;
}
