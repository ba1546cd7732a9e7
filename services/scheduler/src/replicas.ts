import type { Change } from '@navarch/client';
import type { Clock } from '@navarch/kit';
import type { Live } from '@navarch/machinery';
import type { Lease } from '@navarch/proto';

export const leaseNamespace = 'navarch-system';
const prefix = 'scheduler-replica-';

/** The Lease that says that a replica is alive. A name may hold neither capitals nor underscores, and 253 characters. */
export function replicaLease(identity: string): string {
  return `${prefix}${identity.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-')}`.slice(0, 253);
}

interface Replica {
  readonly lease: Live<Lease>;
  /** Runs out when the Lease was not renewed for its whole time, by this process's clock. */
  readonly timer: Disposable | undefined;
  readonly alive: boolean;
}

/** Which replicas of the scheduler are alive, by the Leases that they renew. */
export class Replicas {
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #replicas = new Map<string, Replica>();
  #alive: readonly string[] = [];

  /** `onChange`: another set of replicas is alive. */
  constructor({ clock, onChange }: { readonly clock: Clock; readonly onChange: () => void }) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** Their identities. */
  get alive(): readonly string[] {
    return this.#alive;
  }

  /** The Leases of those that were not given back, and have run out. */
  get lost(): readonly Live<Lease>[] {
    return [...this.#replicas.values()].flatMap(({ alive, lease }) => (alive ? [] : [lease]));
  }

  onLease({ type, object: lease }: Change<Lease>): void {
    const { namespace, name } = lease.metadata;
    if (namespace !== leaseNamespace || !name.startsWith(prefix)) return;
    this.#replicas.get(name)?.timer?.[Symbol.dispose]();
    if (type === 'deleted') this.#replicas.delete(name);
    else if (lease.spec.holderIdentity === '') this.#replicas.set(name, { lease, timer: undefined, alive: false });
    else {
      const ranOut = () => {
        this.#replicas.set(name, { lease, timer: undefined, alive: false });
        this.#settle();
      };
      const timer = this.#clock.timer(lease.spec.leaseDurationSeconds * 1000, ranOut);
      this.#replicas.set(name, { lease, timer, alive: true });
    }
    this.#settle();
  }

  #settle(): void {
    const alive = [...this.#replicas.values()].flatMap((each) => (each.alive ? [each.lease.spec.holderIdentity] : []));
    if (alive.toSorted().join() === this.#alive.join()) return;
    this.#alive = alive.toSorted();
    this.#onChange();
  }
}
