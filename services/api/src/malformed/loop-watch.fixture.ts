/** For tests: how long the event loop was busy at one stretch. */
export class LoopWatch {
  #longestMs = 0;
  #last = process.threadCpuUsage();
  readonly #timer = setInterval(() => this.#look(), 1);

  /**
   * The longest stretch since the beginning in which no timer could run, in milliseconds of this thread's work: what other
   * processes take meanwhile does not count.
   */
  longestMs(): number {
    this.#look();
    return this.#longestMs;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { user, system } = process.threadCpuUsage(this.#last);
    this.#last = process.threadCpuUsage();
    this.#longestMs = Math.max(this.#longestMs, (user + system) / 1000);
  }
}
