import type { Json, NftChain, NftElement, NftSet, NftTable, PresentTable } from './nft-table.ts';
import { rulesTable } from './node-network.ts';

const table = { family: rulesTable.family, table: rulesTable.name };
const { family, name: tableName } = rulesTable;
const nothing: NftTable = { chains: new Map(), sets: new Map() };

/**
 * The commands for one call of `nft -j -f -` that make the table in the kernel the wanted one; none when it is. The
 * kernel does all of them in one transaction, but for packets that is less than it sounds: one that is on its way
 * through the hooks at that moment can pass the new chain while that still is empty and the old one when it is already.
 * A replaced table has so refused a connection in some hundreds of replacements. Therefore what stays the same is
 * left alone: chains that packets enter by are never made anew, and neither are elements of maps; a chain whose rules
 * differ gets all of them at once, which the kernel turns to by one pointer.
 *
 * `present` is undefined when there is no table. One of another shape (another version's) is replaced as a whole.
 */
export function nftUpdate(present: PresentTable | undefined, wanted: NftTable): readonly Json[] {
  if (present !== undefined && sameShape(present, wanted)) return differences(present, wanted);
  // Deleting what isn't there is an error; adding what is there isn't.
  const add = { add: { table: { family, name: tableName } } };
  return [add, { delete: { table: { family, name: tableName } } }, add, ...differences(nothing, wanted)];
}

/** Whether what both have is declared alike: nothing in the kernel can be declared anew while it is in use. */
function sameShape(present: PresentTable, wanted: NftTable): boolean {
  const chains = [...wanted.chains].every(([name, { base }]) => {
    const other = present.chains.get(name);
    return other === undefined || same(other.base, base);
  });
  const sets = [...wanted.sets].every(([name, { type, map }]) => {
    const other = present.sets.get(name);
    return other === undefined || (same(other.type, type) && other.map === map);
  });
  return chains && sets;
}

/** Something is made before it is referred to, and removed when nothing refers to it any more. */
function differences(present: PresentTable, wanted: NftTable): readonly Json[] {
  const made = [...wanted.chains].filter(([name]) => !present.chains.has(name));
  const changed = [...wanted.chains].filter(([name, { rules }]) => !same(present.chains.get(name)?.rules, rules));
  const gone = [...present.chains.keys()].filter((name) => !wanted.chains.has(name));
  const setsMade = [...wanted.sets].filter(([name]) => !present.sets.has(name));
  const setsGone = [...present.sets].filter(([name]) => !wanted.sets.has(name));
  return [
    ...made.map(addChain),
    ...setsMade.map(addSet),
    ...changed.flatMap(([name, { rules }]): Json[] => [
      ...(present.chains.has(name) ? [{ flush: { chain: { ...table, name } } }] : []),
      ...rules.map((rule) => ({ add: { rule: { ...table, chain: name, ...rule } } })),
    ]),
    ...[...wanted.sets].flatMap(([name, set]) => elementChanges(name, present.sets.get(name)?.elements, set)),
    ...setsGone.map(([name, { map }]): Json => ({ delete: { [map ? 'map' : 'set']: { ...table, name } } })),
    ...gone.map((name): Json => ({ delete: { chain: { ...table, name } } })),
  ];
}

function addChain([name, { base }]: [string, NftChain]): Json {
  return { add: { chain: { ...table, name, ...(base !== undefined && { ...base, policy: 'accept' }) } } };
}

function addSet([name, { type, map }]: [string, NftSet]): Json {
  return { add: map ? { map: { ...table, name, type, map: 'verdict' } } : { set: { ...table, name, type } } };
}

function elementChanges(name: string, present: NftSet['elements'] = new Map(), { elements, map }: NftSet): Json[] {
  const change = (some: NftSet['elements']): Json => ({
    element: { ...table, name, elem: [...some.values()].map((element) => elementJson(element, map)) },
  });
  const removed = without(present, elements);
  const added = without(elements, present);
  return [
    ...(removed.size > 0 ? [{ delete: change(removed) }] : []),
    ...(added.size > 0 ? [{ add: change(added) }] : []),
  ];
}

/** The elements that `others` doesn't have, or has with another target. */
function without(some: NftSet['elements'], others: NftSet['elements']): NftSet['elements'] {
  return new Map([...some].filter(([key, element]) => !same(element, others.get(key))));
}

function elementJson({ key, target }: NftElement, map: boolean): Json {
  const concat: Json = { concat: key };
  return map && target !== undefined ? [concat, { goto: { target } }] : concat;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
