import { type Clock, onAbort } from '@navarch/kit';
import type { EventBus, KeptMessage, StreamConfig, StreamMessage } from './bus.ts';

interface Kept extends KeptMessage {
  readonly at: number;
}

/** One stream of a `MemoryHub`, shared by its buses: messages in sequence order, within the limits of its config. */
export class MemoryStream {
  config: StreamConfig = { name: '', subjects: [], maxBytes: 0 };
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #kept: Kept[] = [];
  /** The same by subject. */
  readonly #bySubject = new Map<string, Kept[]>();
  #bytes = 0;
  #last = 0n;
  #incarnation = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  adjust(config: StreamConfig): void {
    this.config = config;
    this.#trim();
  }

  append(subject: string, payload: Uint8Array): bigint {
    const message = { subject, sequence: ++this.#last, payload, at: this.#clock.now() };
    this.#kept.push(message);
    this.#bySubject.set(subject, [...(this.#bySubject.get(subject) ?? []), message]);
    this.#bytes += subject.length + payload.length;
    this.#limitSubject(subject);
    this.#trim();
    this.#wake();
    return this.#last;
  }

  wipe(): void {
    this.#kept = [];
    this.#bySubject.clear();
    this.#bytes = 0;
    this.#last = 0n;
    this.#incarnation++;
  }

  onSubject(subject: string): readonly KeptMessage[] {
    this.#trim();
    return this.#bySubject.get(subject) ?? [];
  }

  newest(): KeptMessage | undefined {
    this.#trim();
    const newest = this.#kept.at(-1);
    return newest?.sequence === this.#last ? newest : undefined;
  }

  async *read(
    bus: EventBus,
    { after, signal }: { after: bigint; signal: AbortSignal },
  ): AsyncGenerator<StreamMessage, void, void> {
    bus.onStatus(() => this.#wake(), signal);
    let incarnation = this.#incarnation;
    let last = after > this.#last ? 0n : after;
    let caughtUp = false;
    while (!signal.aborted) {
      if (incarnation !== this.#incarnation) {
        incarnation = this.#incarnation;
        last = 0n;
      }
      this.#trim();
      const next = bus.connected ? this.#kept[this.#indexAfter(last)] : undefined;
      if (next) {
        last = next.sequence;
        yield { subject: next.subject, sequence: next.sequence, payload: next.payload };
      } else if (bus.connected && !caughtUp) {
        caughtUp = true;
        yield { subject: '', sequence: last, payload: undefined };
      } else {
        await this.#change(signal);
      }
    }
  }

  async #change(signal: AbortSignal): Promise<void> {
    const changed = Promise.withResolvers<void>();
    this.#waiting.add(changed.resolve);
    using _end = onAbort(signal, changed.resolve);
    await changed.promise;
    this.#waiting.delete(changed.resolve);
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
  }

  /** The index of the first message with a sequence greater than `sequence`. */
  #indexAfter(sequence: bigint): number {
    let low = 0;
    let high = this.#kept.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#kept[middle]?.sequence ?? 0n) <= sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #limitSubject(subject: string): void {
    const { maxPerSubject } = this.config;
    if (maxPerSubject === undefined) return;
    const same = this.#bySubject.get(subject) ?? [];
    for (const { sequence } of same.slice(0, Math.max(0, same.length - maxPerSubject))) {
      this.#drop(this.#indexAfter(sequence - 1n));
    }
  }

  #trim(): void {
    const { maxBytes, maxAgeMs = Number.POSITIVE_INFINITY } = this.config;
    const oldest = this.#clock.now() - maxAgeMs;
    while (this.#bytes > maxBytes || (this.#kept[0]?.at ?? oldest) < oldest) this.#drop(0);
  }

  #drop(index: number): void {
    for (const dropped of this.#kept.splice(index, 1)) {
      const { subject, payload } = dropped;
      this.#bytes -= subject.length + payload.length;
      const left = (this.#bySubject.get(subject) ?? []).filter((kept) => kept !== dropped);
      if (left.length > 0) this.#bySubject.set(subject, left);
      else this.#bySubject.delete(subject);
    }
  }
}
