/** One of nftables' JSON values. Source: libnftables-json(5). */
export type Json = null | string | number | boolean | readonly Json[] | { readonly [key: string]: Json };

/** A table of packet rules as data, in nftables' own words. */
export interface NftTable {
  readonly chains: ReadonlyMap<string, NftChain>;
  readonly sets: ReadonlyMap<string, NftSet>;
}

export interface NftChain {
  /** Where packets enter it; undefined for a chain that others lead to. */
  readonly base: { readonly type: string; readonly hook: string; readonly prio: number } | undefined;
  readonly rules: readonly { readonly [key: string]: Json }[];
}

/** A named set or, where its elements have targets, a map of verdicts. */
export interface NftSet {
  readonly type: readonly string[];
  readonly map: boolean;
  /** By what tells them apart: the parts of their key. */
  readonly elements: ReadonlyMap<string, NftElement>;
}

export interface NftElement {
  readonly key: readonly (string | number)[];
  /** The chain that a packet goes to. */
  readonly target: string | undefined;
}

/** What the kernel holds. Rules that were read back from it count as unknown. */
export interface PresentTable {
  readonly chains: ReadonlyMap<string, Pick<NftChain, 'base'> & { readonly rules: NftChain['rules'] | undefined }>;
  readonly sets: NftTable['sets'];
}

export function nftSet(type: readonly string[], elements: readonly NftElement[], map: boolean): NftSet {
  return { type, map, elements: new Map(elements.map((element) => [element.key.join(' '), element])) };
}
