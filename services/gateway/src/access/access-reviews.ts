import type { Connection } from '@navarch/client';
import { ApiError } from '@navarch/machinery';
import { AccessService, type PathAccess, type ResourceAccess } from '@navarch/proto';
import type { Identity } from '../identity.ts';
import { userInfoOf } from './identity-metadata.ts';

/** Asks the api whether somebody may do what the api itself does not see: paths, and what the gateway does by itself. */
export class AccessReviews {
  readonly #connection: Pick<Connection, 'read'>;

  constructor(connection: Pick<Connection, 'read'>) {
    this.#connection = connection;
  }

  /** Throws Forbidden, in Kubernetes' words, when `identity` may not. */
  async check(identity: Identity, wanted: ResourceAccess | PathAccess): Promise<void> {
    const what =
      'path' in wanted ? ({ $case: 'path', value: wanted } as const) : ({ $case: 'resource', value: wanted } as const);
    // Asked by the gateway itself, which may ask about everybody.
    const request = { user: userInfoOf(identity), what, local: false };
    const { allowed, refusal } = await this.#connection.read(AccessService.review, request);
    if (!allowed) throw new ApiError('Forbidden', refusal);
  }
}
