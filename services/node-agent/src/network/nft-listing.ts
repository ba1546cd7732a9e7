import { type NftChain, type NftElement, type NftSet, nftSet, type NftTable, type PresentTable } from './nft-table.ts';

/** The parts used here of what `nft -j list table` prints. Source: libnftables-json(5). */
interface Listing {
  readonly nftables: readonly {
    readonly chain?: { name: string; type?: string; hook?: string; prio?: number };
    readonly set?: NamedSet;
    readonly map?: NamedSet;
    readonly rule?: { chain: string };
  }[];
}
interface NamedSet {
  readonly name: string;
  readonly type: string | readonly string[];
  readonly elem?: readonly (Key | readonly [Key, { goto?: { target: string } }])[];
}
interface Key {
  readonly concat?: readonly (string | number)[];
}

/**
 * A table as the kernel lists it. Its rules are only counted: nftables prints the same rule in other words than it was
 * given, and in others again in its next version.
 */
export interface ListedTable extends PresentTable {
  readonly chains: ReadonlyMap<string, Pick<NftChain, 'base'> & { readonly rules: undefined; readonly count: number }>;
}

export function listedTable(text: string): ListedTable {
  // The form is nftables' own.
  const { nftables } = JSON.parse(text) as Listing;
  const rules = Map.groupBy(nftables, ({ rule }) => rule?.chain);
  return {
    chains: new Map(
      nftables.flatMap(({ chain }) => {
        if (chain === undefined) return [];
        const { name, type, hook, prio } = chain;
        const base = type === undefined || hook === undefined || prio === undefined ? undefined : { type, hook, prio };
        return [[name, { base, rules: undefined, count: rules.get(name)?.length ?? 0 }] as const];
      }),
    ),
    sets: new Map(
      nftables.flatMap(({ set, map }) => {
        const named = map ?? set;
        if (named === undefined) return [];
        const { name, type, elem = [] } = named;
        return [[name, nftSet([type].flat(), elem.map(element), map !== undefined)] as const];
      }),
    ),
  };
}

/** Whether the kernel still has what was put there, as far as a listing tells. */
export function isAsLeft({ chains, sets }: ListedTable, left: NftTable): boolean {
  return (
    chains.size === left.chains.size &&
    [...left.chains].every(([name, { rules }]) => chains.get(name)?.count === rules.length) &&
    [...left.sets].every(([name, { elements }]) => hasElements(sets.get(name), elements))
  );
}

function hasElements(set: NftSet | undefined, elements: NftSet['elements']): boolean {
  return (
    set?.elements.size === elements.size &&
    [...elements].every(([key, { target }]) => set.elements.get(key)?.target === target)
  );
}

function element(listed: Key | readonly [Key, { goto?: { target: string } }]): NftElement {
  const [key, verdict] = isPair(listed) ? listed : [listed, undefined];
  return { key: key.concat ?? [], target: verdict?.goto?.target };
}

function isPair<Pair extends readonly unknown[]>(listed: Key | Pair): listed is Pair {
  return Array.isArray(listed);
}
