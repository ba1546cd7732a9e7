import type { Clock } from '@navarch/kit';
import { ApiError, type Live } from '@navarch/machinery';
import type { Fence, Lease } from '@navarch/proto';

interface TermOptions {
  readonly lease: Live<Lease>;
  /** When the write that took the lease was sent, on the monotonic clock. */
  readonly sentMs: number;
  readonly identity: string;
  readonly deadlineMs: number;
  readonly clock: Clock;
}

/** One time in office of one leader: from taking the lease to losing it or giving it back. */
export class Term {
  /** The store's revision when the lease was taken: a leader's caches must show it before it acts, for then they show all that its predecessors wrote. */
  readonly revision: bigint;
  readonly #options: TermOptions;
  readonly #over = new AbortController();
  #lease: Live<Lease>;
  #sentMs: number;
  #deadline: Disposable | undefined;
  #lost: string | undefined;

  constructor(options: TermOptions) {
    this.#options = options;
    this.#lease = options.lease;
    this.#sentMs = options.sentMs;
    this.revision = BigInt(options.lease.metadata.resourceVersion);
    this.#watchDeadline();
  }

  /** Aborts when the term is over: whoever works in its name stops. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** The lease as it was written or read last. */
  get lease(): Live<Lease> {
    return this.#lease;
  }

  /** Why the lease was lost; undefined while it is held or when it was left by will. */
  get lost(): string | undefined {
    return this.#lost;
  }

  /**
   * What every write in this term's name carries. Throws ApiError('Fenced') when the term is over, also when nobody had the
   * time to say so: after a pause of the whole process this is asked before the timers fire.
   */
  fence(): Fence {
    if (!this.signal.aborted && this.#remainingMs() <= 0) this.lose('it was not renewed in time');
    const { namespace, name } = this.#lease.metadata;
    if (this.signal.aborted)
      throw new ApiError('Fenced', `this process no longer holds the lease ${namespace}/${name}`);
    return {
      leaseNamespace: namespace,
      leaseName: name,
      holderIdentity: this.#options.identity,
      transitions: this.#lease.spec.leaseTransitions,
    };
  }

  /** Whether `lease` still says that this term goes on. */
  isOf(lease: Live<Lease>): boolean {
    return (
      lease.metadata.uid === this.#lease.metadata.uid &&
      lease.spec.holderIdentity === this.#options.identity &&
      lease.spec.leaseTransitions === this.#lease.spec.leaseTransitions
    );
  }

  /** The lease was renewed by a write sent at `sentMs`: others count from a later moment. */
  renewed(lease: Live<Lease>, sentMs: number): void {
    if (this.signal.aborted) return;
    this.#lease = lease;
    this.#sentMs = sentMs;
    this.#watchDeadline();
  }

  /** A newer version of the lease, without knowing when it was written. */
  refresh(lease: Live<Lease>): void {
    this.#lease = lease;
  }

  lose(why: string): void {
    if (this.signal.aborted) return;
    this.#lost = why;
    this.end(why);
  }

  end(why: string): void {
    this.#deadline?.[Symbol.dispose]();
    this.#over.abort(new ApiError('Fenced', `the term is over: ${why}`));
  }

  #remainingMs(): number {
    return this.#sentMs + this.#options.deadlineMs - this.#options.clock.monotonicMs();
  }

  #watchDeadline(): void {
    this.#deadline?.[Symbol.dispose]();
    this.#deadline = this.#options.clock.timer(this.#remainingMs(), () => this.lose('it was not renewed in time'));
  }
}
