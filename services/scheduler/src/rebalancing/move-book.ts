import { type Client, createWrite, type InformerSet, updateWrite } from '@navarch/client';
import type { Term } from '@navarch/controller';
import { lease as leaseKind, movesLease, movesOf, type RecordedMove, withMoves } from '@navarch/kinds';
import { isApiError, type Live } from '@navarch/machinery';
import type { Lease } from '@navarch/proto';
import { refusal, writeOptions } from '../hands.ts';

/** Others write too: who asks for an undo. */
const attempts = 5;

export interface MoveBookOptions {
  readonly client: Pick<Client, 'get' | 'transact'>;
  readonly informers: InformerSet;
}

/** What was moved, kept where the next leader and people find it. */
export class MoveBook {
  readonly #options: MoveBookOptions;

  constructor(options: MoveBookOptions) {
    this.#options = options;
  }

  /** The moves as the caches show them, oldest first. */
  get moves(): readonly RecordedMove[] {
    return movesOf(this.#options.informers.lister(leaseKind).get(movesLease));
  }

  /**
   * Writes what `change` makes of the moves as they are now; nothing where it gives back what it got. Resolves once the caches show
   * it. Throws ApiError; 'Conflict' when others wrote each time as well.
   */
  async change(change: (moves: readonly RecordedMove[]) => readonly RecordedMove[], term: Term): Promise<void> {
    const { client, informers } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const current = await this.#current(term.signal);
      const moves = movesOf(current);
      const next = change(moves);
      if (next === moves) return;
      const lease = withMoves(current, next);
      const write = current === undefined ? createWrite(leaseKind, lease) : updateWrite(leaseKind, lease);
      const [outcome] = await client.transact([write], writeOptions(term));
      if (outcome?.ok) return await informers.reached(outcome.revision, term.signal);
      const reason = outcome?.error.reason;
      if ((reason !== 'Conflict' && reason !== 'AlreadyExists') || attempt === attempts) {
        throw refusal(outcome?.error);
      }
    }
  }

  /** Writes how it stands with a move, unless it stands otherwise than was known. */
  async put(move: RecordedMove, known: RecordedMove['state'], term: Term): Promise<void> {
    await this.change((moves) => {
      const current = moves.find(({ id }) => id === move.id);
      return current?.state === known ? moves.map((each) => (each === current ? move : each)) : moves;
    }, term);
  }

  async #current(signal: AbortSignal): Promise<Live<Lease> | undefined> {
    try {
      return await this.#options.client.get(leaseKind, movesLease, { signal });
    } catch (error) {
      if (isApiError(error, 'NotFound')) return undefined;
      throw error;
    }
  }
}
