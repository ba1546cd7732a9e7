import type { Json } from '../encode.ts';
import { type FieldSet, fieldSet, noFields } from './field-set.ts';
import { hasItems, type Part, partsOf, type Shape, valueOf } from './shape.ts';

/**
 * What is there with what a manifest says put over it. Items of a list keep their places unless the manifest has them in
 * another order; new ones stand after the item that they follow in the manifest.
 */
export function overlay(shape: Shape, live: Json | undefined, wanted: Json): Json {
  const parts = partsOf(shape, wanted);
  const current = live === undefined ? undefined : partsOf(shape, live);
  if (parts === undefined || current === undefined) return wanted;
  const merged = new Map<string, Part>();
  const order = hasItems(shape)
    ? itemOrder([...current.keys()], [...parts.keys()])
    : new Set([...current.keys(), ...parts.keys()]);
  for (const element of order) {
    const part = parts.get(element);
    const there = current.get(element);
    if (part !== undefined) merged.set(element, { ...part, value: overlay(part.shape, there?.value, part.value) });
    else if (there !== undefined) merged.set(element, there);
  }
  return valueOf(shape, merged);
}

/**
 * A value without the places of `last` that `keep` knows nothing of. A field goes with all that is inside it, such as
 * defaults that nobody owns; of a map or a list only the parts that are in `last` go, and the rest of it when that is nothing.
 */
export function prune(shape: Shape, value: Json, last: FieldSet, keep: FieldSet): Json {
  const parts = partsOf(shape, value);
  if (parts === undefined) return value;
  for (const [element, before] of last.children) {
    const part = parts.get(element);
    if (part === undefined) continue;
    const kept = keep.children.get(element);
    const left =
      kept === undefined ? leftOver(part, before) : prune(part.shape, part.value, withoutKeys(shape, before), kept);
    if (left === undefined) parts.delete(element);
    else parts.set(element, { ...part, value: left });
  }
  return valueOf(shape, parts);
}

/** An item that stays keeps what tells it from the others, whoever said that. */
function withoutKeys(list: Shape, item: FieldSet): FieldSet {
  if (list.type !== 'list') return item;
  const keys = new Set(list.keys.map(({ name }) => `f:${name}`));
  return fieldSet(
    item.self,
    [...item.children].filter(([element]) => !keys.has(element)),
  );
}

function leftOver({ shape, value }: Part, last: FieldSet): Json | undefined {
  if (shape.type !== 'map' && !hasItems(shape)) return undefined;
  const parts = partsOf(shape, prune(shape, value, last, noFields));
  return parts === undefined || parts.size === 0 ? undefined : valueOf(shape, parts);
}

/**
 * The order of `live`, in which the items of `wanted` follow one another as in `wanted`. Done twice it is done once. Takes
 * time in proportion to the items, of which there may be many.
 */
export function itemOrder(live: readonly string[], wanted: readonly string[]): string[] {
  const there = new Set(live);
  const named = new Set(wanted);
  const inTurn = wanted.filter((item) => there.has(item)).values();
  const newBehind = new Map<string, string[]>();
  const newFirst: string[] = [];
  let behind = newFirst;
  for (const item of wanted) {
    if (there.has(item)) newBehind.set(item, (behind = []));
    else behind.push(item);
  }
  const result: string[] = [];
  for (const place of live) {
    if (!named.has(place)) {
      result.push(place);
      continue;
    }
    result.push(...newFirst.splice(0));
    const item = inTurn.next().value ?? place; // there are as many places as items
    result.push(item, ...(newBehind.get(item) ?? []));
  }
  return [...result, ...newFirst];
}
