import { ApiError } from '@navarch/machinery';
import type { Etcd3 } from 'etcd3';
import { closedError } from './revisions.ts';

/** What stops etcd from taking writes. */
export type EtcdAlarm = 'NOSPACE' | 'CORRUPT';

/** One member's own view. */
export interface MemberStatus {
  readonly endpoint: string;
  readonly version: string;
  /** What the database takes on disk. Only `defragment` makes it smaller. */
  readonly diskBytes: number;
  /** What of that is in use. What a compaction frees shows some time after it is acknowledged, and some more writes. */
  readonly usedBytes: number;
  /** The whole cluster's, whichever member raised them. */
  readonly alarms: readonly EtcdAlarm[];
  /** Whether this member leads the others. */
  readonly leads: boolean;
  /** How much of the common log this member has applied: one far behind the others is still catching up. */
  readonly appliedIndex: number;
}

export interface MemberOutOfReach {
  readonly endpoint: string;
  readonly unreachable: string;
}

export type MemberReport = MemberStatus | MemberOutOfReach;

/** The care of a store's servers, member by member. Every call may be repeated. */
export interface Maintenance {
  /** How every member is, asked at once. A member that does not answer is part of the answer. */
  status(): Promise<readonly MemberReport[]>;
  /**
   * Gives the room that compaction made back to the disk. The member answers little else meanwhile, so one at a time. Throws
   * `Unavailable`, also when it only took longer than the deadline.
   */
  defragment(endpoint: string): Promise<void>;
  /** Lets etcd take writes again after it ran out of space. First `compact` and `defragment`, or it is full at once. */
  disarm(): Promise<void>;
}

export interface MaintenanceOptions {
  /** As for EtcdStore. */
  readonly endpoints: string;
  /** How long a member may take to say how it is. Default 3,000. */
  readonly statusDeadlineMs?: number;
  /** How long a defragmentation may take. A large database takes seconds, on a slow disk minutes. Default 10 minutes. */
  readonly defragmentDeadlineMs?: number;
}

/**
 * The care of etcd itself, which is what `etcd3` is used for. Its retries and its circuit breaker, which make it unfit for
 * transactions and watches, are switched off.
 */
export class EtcdMaintenance implements Maintenance {
  readonly #endpoints: readonly string[];
  readonly #statusDeadlineMs: number;
  readonly #defragmentDeadlineMs: number;
  #members: Promise<ReadonlyMap<string, Etcd3>> | undefined;
  #closed = false;

  constructor({ endpoints, statusDeadlineMs = 3_000, defragmentDeadlineMs = 600_000 }: MaintenanceOptions) {
    this.#endpoints = endpoints.split(',').map((endpoint) => endpoint.trim());
    this.#statusDeadlineMs = statusDeadlineMs;
    this.#defragmentDeadlineMs = defragmentDeadlineMs;
  }

  async status(): Promise<MemberReport[]> {
    const members = await this.#connected();
    return await Promise.all(
      [...members].map(async ([endpoint, member]): Promise<MemberReport> => {
        try {
          const said = await member.maintenance.status({ deadline: Date.now() + this.#statusDeadlineMs });
          return {
            endpoint,
            version: said.version,
            diskBytes: Number(said.dbSize),
            usedBytes: Number(said.dbSizeInUse),
            alarms: alarmsIn(said.errors),
            leads: said.leader === said.header.member_id,
            appliedIndex: Number(said.raftAppliedIndex),
          };
        } catch (error) {
          return { endpoint, unreachable: messageOf(error) };
        }
      }),
    );
  }

  async defragment(endpoint: string): Promise<void> {
    const member = (await this.#connected()).get(endpoint);
    if (member === undefined) throw new ApiError('BadRequest', `no etcd at ${endpoint} is known`);
    try {
      await member.maintenance.defragment({ deadline: Date.now() + this.#defragmentDeadlineMs });
    } catch (error) {
      throw unavailable(endpoint, error);
    }
  }

  async disarm(): Promise<void> {
    let failure: ApiError | undefined;
    // An alarm belongs to the cluster: any member can take it back for all.
    for (const [endpoint, { maintenance }] of await this.#connected()) {
      try {
        const options = () => ({ deadline: Date.now() + this.#statusDeadlineMs });
        // Each alarm by the member that raised it: to name none is no error, and does nothing.
        const { alarms } = await maintenance.alarm({ action: 'Get' }, options());
        for (const alarm of alarms) await maintenance.alarm({ action: 'Deactivate', ...alarm }, options());
        return;
      } catch (error) {
        failure = unavailable(endpoint, error);
      }
    }
    throw failure ?? new ApiError('Unavailable', 'no etcd is known');
  }

  /** Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const member of (await this.#members)?.values() ?? []) member.close();
  }

  async #connected(): Promise<ReadonlyMap<string, Etcd3>> {
    if (this.#closed) throw closedError();
    this.#members ??= this.#connect();
    return await this.#members;
  }

  async #connect(): Promise<ReadonlyMap<string, Etcd3>> {
    // Loading it takes a third of a second, which the start of the api need not wait for.
    const [{ Etcd3: Client }, { noop }] = await Promise.all([import('etcd3'), import('cockatiel')]);
    // A member that defragments is silent: a circuit breaker would take it for dead, and for some time after.
    const faultHandling = { host: () => noop, global: noop };
    return new Map(this.#endpoints.map((hosts) => [hosts, new Client({ hosts, faultHandling })]));
  }
}

/** etcd writes an alarm among a member's errors as `memberID:1 alarm:NOSPACE`. Asking for it by itself writes to its log. */
function alarmsIn(errors: readonly string[]): EtcdAlarm[] {
  return (['NOSPACE', 'CORRUPT'] as const).filter((alarm) => errors.some((error) => error.includes(`alarm:${alarm}`)));
}

function unavailable(endpoint: string, cause: unknown): ApiError {
  return new ApiError('Unavailable', `etcd at ${endpoint}: ${messageOf(cause)}`, { cause });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
