/**
 * How many sandboxes and containers are made at once. More than the machine has cores for would only make all of them late:
 * a container whose sandbox stands goes before the next sandbox, so that Pods come up one after another.
 */
export class StartLimit {
  #free: number;
  readonly #waiting: Record<'container' | 'sandbox', (() => void)[]> = { container: [], sandbox: [] };

  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  async run<T>(what: 'container' | 'sandbox', make: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting[what].push(resolve));
    try {
      return await make();
    } finally {
      const next = this.#waiting.container.shift() ?? this.#waiting.sandbox.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}
