export interface EventLimits {
  readonly maxAgeMs: number;
  readonly maxBytes: number;
}

/** Which events have to go, by the time they were last written and by what all of them take. */
export class EventRetention {
  readonly #limits: EventLimits;
  /** Oldest first: a write moves an event to the end. */
  readonly #events = new Map<string, { readonly bytes: number; readonly atMs: number }>();
  #bytes = 0;

  constructor(limits: EventLimits) {
    this.#limits = limits;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(key: string, bytes: number, atMs: number): void {
    this.delete(key);
    this.#events.set(key, { bytes, atMs });
    this.#bytes += bytes;
  }

  delete(key: string): void {
    this.#bytes -= this.#events.get(key)?.bytes ?? 0;
    this.#events.delete(key);
  }

  /** The oldest events that have to go for the rest to fit. They stay counted until they are deleted. */
  overflow(): string[] {
    const over: string[] = [];
    let excess = this.#bytes - this.#limits.maxBytes;
    for (const [key, { bytes }] of this.#events) {
      if (excess <= 0) break;
      over.push(key);
      excess -= bytes;
    }
    return over;
  }

  olderThan(ms: number): string[] {
    const old: string[] = [];
    for (const [key, { atMs }] of this.#events) {
      if (atMs >= ms) break;
      old.push(key);
    }
    return old;
  }
}
