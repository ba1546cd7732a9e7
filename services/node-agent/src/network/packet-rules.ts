import { isAsLeft, type ListedTable, listedTable } from './nft-listing.ts';
import type { NftTable } from './nft-table.ts';
import { nftUpdate } from './nft-update.ts';
import { type NodeNetwork, rulesTable } from './node-network.ts';
import { nodeTable } from './node-table.ts';
import type { RunCommand } from './run-command.ts';
import type { Ruleset } from './service-plan.ts';

/**
 * The node's table of packet rules in the kernel. What an earlier agent left there is read once and then changed in
 * place, like everything after it, so that packets under way never find a table without rules (see `nftUpdate`).
 */
export class PacketRules {
  readonly #run: RunCommand;
  /** What the last call put there; undefined while that isn't known, so that the kernel is asked before the next one. */
  #left: NftTable | undefined;

  constructor(options: { run: RunCommand }) {
    this.#run = options.run;
  }

  /** Makes the kernel's rules those of `ruleset`. Resolves with whether anything had to be changed. */
  async apply(ruleset: Ruleset, node: NodeNetwork, signal: AbortSignal): Promise<boolean> {
    const wanted = nodeTable(ruleset, node);
    const commands = nftUpdate(this.#left ?? (await this.#read(signal)), wanted);
    if (commands.length === 0) return false;
    // A call that is broken off may have done its work.
    this.#left = undefined;
    await this.#run('nft', ['-j', '-f', '-'], { input: JSON.stringify({ nftables: commands }), signal });
    this.#left = wanted;
    return true;
  }

  /** Looks whether somebody has changed or flushed the table; if so, the next `apply` puts it right. */
  async audit(signal: AbortSignal): Promise<void> {
    if (this.#left === undefined) return;
    const listed = await this.#read(signal);
    if (listed === undefined || !isAsLeft(listed, this.#left)) this.#left = undefined;
  }

  async #read(signal: AbortSignal): Promise<ListedTable | undefined> {
    if (!(await this.#exists(signal))) return undefined;
    const { family, name } = rulesTable;
    return listedTable(await this.#run('nft', ['-j', 'list', 'table', family, name], { signal }));
  }

  async #exists(signal: AbortSignal): Promise<boolean> {
    const answer: unknown = JSON.parse(await this.#run('nft', ['-j', 'list', 'tables'], { signal }));
    // The form is nftables' own: libnftables-json(5).
    const { nftables } = answer as { nftables: { table?: { family: string; name: string } }[] };
    return nftables.some(({ table }) => table?.family === rulesTable.family && table.name === rulesTable.name);
  }
}
