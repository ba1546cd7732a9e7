import type { FieldError } from '@navarch/machinery';

/** Items whose key came before, by `at(index)`. Undefined and '' keys don't count. */
export function duplicates<T>(
  items: readonly T[],
  key: (item: T) => string | undefined,
  at: (index: number) => string,
): FieldError[] {
  const seen = new Set<string>();
  const errors: FieldError[] = [];
  for (const [index, item] of items.entries()) {
    const name = key(item);
    if (name === undefined || name === '') continue;
    if (seen.has(name)) errors.push({ path: at(index), message: `"${name}" is there twice; it must be unique` });
    seen.add(name);
  }
  return errors;
}

/** Exactly one of `fields` (as manifests spell them, with what the object has) must be set. */
export function exactlyOne(path: string, fields: Readonly<Record<string, unknown>>): FieldError[] {
  const set = Object.entries(fields).filter(([, value]) => value !== undefined);
  if (set.length === 1) return [];
  const names = Object.keys(fields).join(', ');
  const found = set.length === 0 ? 'none is' : `${set.map(([name]) => name).join(' and ')} are`;
  return [{ path, message: `exactly one of ${names} must be set; ${found}` }];
}

/** A path inside a volume: relative, and never above its root. */
export function relativePath(path: string, value: string): FieldError[] {
  const good = !value.startsWith('/') && !value.split('/').includes('..');
  return good ? [] : [{ path, message: `"${value}" must be a relative path without ..` }];
}
