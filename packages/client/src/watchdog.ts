import type { Clock } from '@navarch/kit';

/** Calls `onSilence` once when `reset` has not been called for `ms`. Dispose to call it off. */
export class Watchdog implements Disposable {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #onSilence: () => void;
  #timer: Disposable | undefined;

  constructor(clock: Clock, ms: number, onSilence: () => void) {
    this.#clock = clock;
    this.#ms = ms;
    this.#onSilence = onSilence;
    this.reset();
  }

  reset(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#clock.timer(this.#ms, this.#onSilence);
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }
}
