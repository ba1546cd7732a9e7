import type { Client, Lister } from '@navarch/client';
import { node as nodeKind } from '@navarch/kinds';
import { isApiError } from '@navarch/machinery';
import type { Node } from '@navarch/proto';

/** Since when the nodes that Pods name have been gone, as far as we have seen. */
export class GoneNodes {
  readonly #nodes: Lister<Node>;
  readonly #client: Pick<Client, 'get'>;
  readonly #sinceMs = new Map<string, number>();

  constructor(nodes: Lister<Node>, client: Pick<Client, 'get'>) {
    this.#nodes = nodes;
    this.#client = client;
  }

  /** Looks which of these are gone. One that was gone for `askAfterMs` the api is asked about: the caches may be behind. */
  async look(named: ReadonlySet<string>, askAfterMs: number, now: number, signal: AbortSignal): Promise<void> {
    const missing = new Set([...named].filter((name) => name !== '' && this.#nodes.get(name) === undefined));
    for (const name of this.#sinceMs.keys()) if (!missing.has(name)) this.#sinceMs.delete(name);
    for (const name of missing) {
      if (!this.#sinceMs.has(name)) this.#sinceMs.set(name, now);
      if ((this.forMs(name, now) ?? 0) >= askAfterMs && (await this.#exists(name, signal))) this.#sinceMs.delete(name);
    }
  }

  forMs(name: string, now: number): number | undefined {
    const since = this.#sinceMs.get(name);
    return since === undefined ? undefined : now - since;
  }

  async #exists(name: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#client.get(nodeKind, { name }, { signal });
      return true;
    } catch (error) {
      if (isApiError(error, 'NotFound')) return false;
      throw error;
    }
  }
}
