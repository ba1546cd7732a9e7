import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../encode.ts';
import { type FieldSet, fieldSet, noFields, wholeField } from './field-set.ts';
import { hasItems, partsOf, type Shape } from './shape.ts';

/** The places that an object fills: its leaves, what is empty in it, and the items of its lists. */
export function fieldsOf(shape: Shape, object: Json): FieldSet {
  return { ...placesOf(shape, object), self: false };
}

function placesOf(shape: Shape, value: Json): FieldSet {
  const parts = partsOf(shape, value);
  if (parts === undefined || parts.size === 0) return wholeField;
  const items = hasItems(shape);
  return fieldSet(
    false,
    [...parts].map(([element, part]) => {
      const inner = placesOf(part.shape, part.value);
      return [element, items ? { ...inner, self: true } : inner];
    }),
  );
}

/** What is another value now, or new; and the outermost places that are gone. */
export interface Change {
  readonly set: FieldSet;
  readonly removed: FieldSet;
}

/** The step from one value to another. The order of items does not count. */
export function compare(shape: Shape, before: Json | undefined, after: Json | undefined): Change {
  if (before === undefined) return after === undefined ? unchanged : { set: placesOf(shape, after), removed: noFields };
  if (after === undefined) {
    const isZero = shape.type === 'whole' && shape.absentIsZero === true;
    return isZero ? { set: wholeField, removed: noFields } : { set: noFields, removed: wholeField };
  }
  const earlier = partsOf(shape, before);
  const later = partsOf(shape, after);
  if (earlier === undefined || later === undefined || later.size === 0) {
    return isDeepStrictEqual(before, after) ? unchanged : { set: wholeField, removed: noFields };
  }
  const items = hasItems(shape);
  const changes = [...new Set([...earlier.keys(), ...later.keys()])].map((element): [string, Change] => {
    const old = earlier.get(element);
    const part = later.get(element) ?? old;
    const change = part === undefined ? unchanged : compare(part.shape, old?.value, later.get(element)?.value);
    const added = items && old === undefined;
    return [element, added ? { ...change, set: { ...change.set, self: true } } : change];
  });
  return {
    set: fieldSet(
      false,
      changes.map(([element, { set }]) => [element, set]),
    ),
    removed: fieldSet(
      false,
      changes.map(([element, { removed }]) => [element, removed]),
    ),
  };
}

const unchanged: Change = { set: noFields, removed: noFields };
