import { createHash } from 'node:crypto';
import type { Connection } from '@navarch/client';
import type { Clock } from '@navarch/kit';
import { ApiError } from '@navarch/machinery';
import { AccessService } from '@navarch/proto';
import type { Identity } from '../identity.ts';
import { identityOf } from './identity-metadata.ts';

/** As long as an apiserver does: an account that is deleted counts for so long here. */
const keptMs = 10_000;
const mostKept = 4_096;

interface Known {
  readonly identity: Identity;
  readonly until: number;
}

/** Whose tokens are, by asking the api, and for some seconds from memory: clients show theirs with every request. */
export class TokenReviews {
  readonly #connection: Pick<Connection, 'read'>;
  readonly #clock: Clock;
  /** By the token's hash: the token itself is not kept. */
  readonly #known = new Map<string, Known>();

  constructor(options: { connection: Pick<Connection, 'read'>; clock: Clock }) {
    this.#connection = options.connection;
    this.#clock = options.clock;
  }

  /** Throws Unauthorized for a token that is not good. */
  async review(token: string): Promise<Identity> {
    const key = createHash('sha256').update(token).digest('base64');
    const known = this.#known.get(key);
    if (known !== undefined && known.until > this.#clock.now()) return known.identity;
    this.#known.delete(key);
    const { user, error } = await this.#connection.read(AccessService.reviewToken, { token, audiences: [] });
    if (user === undefined) throw new ApiError('Unauthorized', `Unauthorized: ${error}`);
    const identity = identityOf(user);
    // The oldest go first.
    for (const oldest of this.#known.keys()) {
      if (this.#known.size < mostKept) break;
      this.#known.delete(oldest);
    }
    this.#known.set(key, { identity, until: this.#clock.now() + keptMs });
    return identity;
  }
}
