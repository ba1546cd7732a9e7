import type { Json, NftChain, NftSet, NftTable } from './nft-table.ts';

const table = { family: 'ip', table: 'navarch' };

type Fields = Readonly<Record<string, Json>>;

/** Does to a table in memory what nftables would do to the kernel's, and refuses what that would refuse. */
export class TableInMemory {
  readonly #chains = new Map<string, NftChain>();
  readonly #sets = new Map<string, NftSet>();
  /** What was removed by the last commands: chains by name, elements by set and key. */
  removed: ReadonlySet<string> = new Set();

  apply(commands: readonly Json[]): NftTable {
    const removed = new Set<string>();
    for (const command of commands) this.#do(command, removed);
    this.removed = removed;
    return { chains: this.#chains, sets: this.#sets };
  }

  /** As `nft -j list table` prints it, as far as it is read. */
  list(): string {
    const sets = [...this.#sets].map(([name, { type, map, elements }]) => ({
      [map ? 'map' : 'set']: {
        ...table,
        name,
        type,
        elem: [...elements.values()].map(({ key, target }) =>
          map ? [{ concat: key }, { goto: { target } }] : { concat: key },
        ),
      },
    }));
    const chains = [...this.#chains].map(([name, { base }]) => ({ chain: { ...table, name, ...base } }));
    const rules = [...this.#chains].flatMap(([chain, { rules: some }]) =>
      some.map(() => ({ rule: { ...table, chain } })),
    );
    return JSON.stringify({ nftables: [...sets, ...chains, ...rules] });
  }

  #do(command: Json, removed: Set<string>): void {
    // Each command is {verb: {what: fields}}.
    const [[verb, object] = ['', {}]] = Object.entries(command as Record<string, Record<string, Fields>>);
    const [[what, fields] = ['', {}]] = Object.entries(object);
    const { family: _, table: __, name, ...rest } = fields as Fields & { readonly name: string };
    switch (`${verb} ${what}`) {
      case 'add table':
        return;
      case 'delete table':
        this.#chains.clear();
        this.#sets.clear();
        return;
      case 'add chain': {
        const { policy: ___, ...base } = rest;
        const isBase = Object.keys(base).length > 0;
        this.#chains.set(name, { base: isBase ? (base as NonNullable<NftChain['base']>) : undefined, rules: [] });
        return;
      }
      case 'flush chain':
        this.#chains.set(name, { ...this.#chain(name), rules: [] });
        return;
      case 'delete chain':
        if (this.#isTarget(name)) throw new Error(`chain ${name} is in use`);
        if (!this.#chains.delete(name)) throw new Error(`no chain ${name}`);
        removed.add(name);
        return;
      case 'add rule': {
        const { chain, ...rule } = rest as Fields & { readonly chain: string };
        const { base, rules } = this.#chain(chain);
        this.#refersTo(rule);
        this.#chains.set(chain, { base, rules: [...rules, rule] });
        return;
      }
      case 'add map':
      case 'add set':
        this.#sets.set(name, { type: rest['type'] as string[], map: what === 'map', elements: new Map() });
        return;
      case 'add element':
      case 'delete element':
        return this.#elements(verb === 'add', name, rest['elem'] as readonly Json[], removed);
      default:
        throw new Error(`unexpected: ${verb} ${what}`);
    }
  }

  #elements(adds: boolean, name: string, elem: readonly Json[], removed: Set<string>): void {
    const set = this.#sets.get(name);
    if (set === undefined) throw new Error(`no set ${name}`);
    const elements = new Map(set.elements);
    for (const listed of elem) {
      type Key = { readonly concat: readonly (string | number)[] };
      const [{ concat: key }, verdict] = (set.map ? listed : [listed]) as [Key, { goto: { target: string } }?];
      const id = key.join(' ');
      const target = verdict?.goto.target;
      if (adds) {
        if (target !== undefined) this.#chain(target);
        elements.set(id, { key, target });
      } else {
        if (!elements.delete(id)) throw new Error(`no element ${id} in ${name}`);
        removed.add(`${name} ${id}`);
      }
    }
    this.#sets.set(name, { ...set, elements });
  }

  #chain(name: string): NftChain {
    const chain = this.#chains.get(name);
    if (chain === undefined) throw new Error(`no chain ${name}`);
    return chain;
  }

  #refersTo(rule: Fields): void {
    const text = JSON.stringify(rule);
    for (const [, chain = ''] of text.matchAll(/"target":"([^"]+)"/g)) this.#chain(chain);
    for (const [, set = ''] of text.matchAll(/"@([^"]+)"/g)) {
      if (!this.#sets.has(set)) throw new Error(`no set ${set}`);
    }
  }

  #isTarget(name: string): boolean {
    return [...this.#sets.values()].some(({ elements }) =>
      [...elements.values()].some(({ target }) => target === name),
    );
  }
}
