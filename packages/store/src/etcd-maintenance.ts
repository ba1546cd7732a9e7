import { ApiError } from '@navarch/machinery';
import type { Etcd3 } from 'etcd3';

/** One member's own view. */
export interface MemberStatus {
  readonly endpoint: string;
  readonly version: string;
  /** What the database takes on disk. Only `defragment` makes it smaller. */
  readonly diskBytes: number;
  /** What of that is in use. What a compaction frees shows some time after it is acknowledged, and some more writes. */
  readonly usedBytes: number;
  /** What stops etcd from taking writes, such as `Nospace`. */
  readonly alarms: readonly string[];
}

export interface MaintenanceOptions {
  /** As for EtcdStore. */
  readonly endpoints: string;
  /** How long one call to one member may take. Defragmenting a large database takes seconds. Default 30,000. */
  readonly deadlineMs?: number;
}

/**
 * The care of etcd itself, member by member. This is what `etcd3` is used for: its retries and its circuit breaker, which
 * make it unfit for transactions and watches, do no harm here, where every call may be repeated.
 */
export class EtcdMaintenance {
  readonly #endpoints: readonly string[];
  readonly #deadlineMs: number;
  #members: Promise<ReadonlyMap<string, Etcd3>> | undefined;

  constructor(options: MaintenanceOptions) {
    this.#endpoints = options.endpoints.split(',').map((endpoint) => endpoint.trim());
    this.#deadlineMs = options.deadlineMs ?? 30_000;
  }

  status(): Promise<MemberStatus[]> {
    return this.#eachMember(async (member, endpoint) => {
      const { version, dbSize, dbSizeInUse } = await member.maintenance.status();
      const { alarms } = await member.maintenance.alarm({ action: 'Get' });
      return {
        endpoint,
        version,
        diskBytes: Number(dbSize),
        usedBytes: Number(dbSizeInUse),
        alarms: alarms.map(({ alarm }) => alarm),
      };
    });
  }

  /** Gives the room that compaction made back to the disk. A member answers nothing else meanwhile. */
  async defragment(): Promise<void> {
    await this.#eachMember((member) => member.maintenance.defragment());
  }

  /** Lets etcd take writes again after it ran out of space. First `compact` and `defragment`, or it is full at once. */
  async disarm(): Promise<void> {
    await this.#eachMember(async ({ maintenance }) => {
      // Each alarm by the member that raised it: to name none is no error, and does nothing.
      const { alarms } = await maintenance.alarm({ action: 'Get' });
      for (const alarm of alarms) await maintenance.alarm({ action: 'Deactivate', ...alarm });
    });
  }

  /** Idempotent. */
  async close(): Promise<void> {
    const members = await this.#members;
    this.#members = undefined;
    for (const member of members?.values() ?? []) member.close();
  }

  /** One after the other, so that a cluster never loses more than one member to a defragmentation. */
  async #eachMember<T>(act: (member: Etcd3, endpoint: string) => Promise<T>): Promise<T[]> {
    this.#members ??= this.#connect();
    const results: T[] = [];
    for (const [endpoint, member] of await this.#members) {
      try {
        results.push(await act(member, endpoint));
      } catch (cause) {
        const said = cause instanceof Error ? cause.message : String(cause);
        throw new ApiError('Unavailable', `etcd at ${endpoint}: ${said}`, { cause });
      }
    }
    return results;
  }

  async #connect(): Promise<ReadonlyMap<string, Etcd3>> {
    // Loading it takes a third of a second, which the start of the api need not wait for.
    const { Etcd3: Client } = await import('etcd3');
    const defaultCallOptions = () => ({ deadline: Date.now() + this.#deadlineMs });
    return new Map(this.#endpoints.map((hosts) => [hosts, new Client({ hosts, defaultCallOptions })]));
  }
}
