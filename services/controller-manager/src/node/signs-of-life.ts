import type { Clock } from '@navarch/kit';
import type { NodeSigns } from './lifecycle.ts';

/**
 * When each node was last heard of, on our own clock: nodes' clocks may be wrong. Whatever may have made us deaf
 * (our own start, the bus being away) gives every node its whole grace period again.
 */
export class SignsOfLife {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #heard = new Map<string, { atMs: number; said: NodeSigns['said'] }>();
  #listeningSinceMs: number;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
    this.#listeningSinceMs = clock.monotonicMs();
  }

  /** A heartbeat. */
  heartbeat(node: string, said: { ready: boolean; message: string }): void {
    this.#heard.set(node, { atMs: this.#clock.monotonicMs(), said });
  }

  /** A renewed Lease: the node lives, and says nothing else. What it said before may be out of date. */
  renewed(node: string): void {
    const before = this.#heard.get(node);
    const atMs = this.#clock.monotonicMs();
    // A Lease is renewed beside heartbeats, too; then what those say counts.
    const recent = before?.said !== undefined && atMs - before.atMs < recentMs;
    this.#heard.set(node, { atMs, said: recent ? before.said : undefined });
  }

  forget(node: string): void {
    this.#heard.delete(node);
  }

  /** Nobody's silence before this moment counts. */
  freshGrace(): void {
    this.#listeningSinceMs = this.#clock.monotonicMs();
  }

  of(node: string): NodeSigns {
    const last = this.#heard.get(node);
    const heard = last !== undefined && last.atMs >= this.#listeningSinceMs;
    const sinceMs = heard ? last.atMs : this.#listeningSinceMs;
    return { silentForMs: this.#clock.monotonicMs() - sinceMs, heard, said: last?.said };
  }
}

const recentMs = 30_000;
