export interface ShareLimits {
  /** So many requests are worked on at once, all users' together. */
  readonly inFlight: number;
  /** So many of one user wait. */
  readonly queuedPerUser: number;
  /** So many wait, all users' together. */
  readonly queued: number;
}

interface Flow<T> {
  running: number;
  readonly waiting: T[];
}

/**
 * Who is worked on when not all can be: pure, without a clock. A place that becomes free is for the user who has the fewest; of
 * those that have as many, for the one who was served longest ago. So whoever asks for much waits for themselves.
 */
export class FairShares<T> {
  readonly #limits: ShareLimits;
  /** Those who have something running or waiting, the one served longest ago first. */
  readonly #flows = new Map<string, Flow<T>>();
  #running = 0;
  #queued = 0;

  constructor(limits: ShareLimits) {
    this.#limits = limits;
  }

  get running(): number {
    return this.#running;
  }

  get queued(): number {
    return this.#queued;
  }

  /** Whether a request is worked on at once, waits, or is one too many. */
  arrive(user: string, request: T): 'run' | 'wait' | 'refuse' {
    const { inFlight, queuedPerUser, queued } = this.#limits;
    const flow = this.#flows.get(user) ?? { running: 0, waiting: [] };
    // Somebody who waits goes first: places are only free while nobody does.
    if (this.#running < inFlight) {
      this.#flows.set(user, flow);
      this.#run(user, flow);
      return 'run';
    }
    if (flow.waiting.length >= queuedPerUser || this.#queued >= queued) return 'refuse';
    this.#flows.set(user, flow);
    flow.waiting.push(request);
    this.#queued++;
    return 'wait';
  }

  /** A request of `user` is done: the one that has its place now, if any waits. */
  done(user: string): T | undefined {
    const flow = this.#flows.get(user);
    if (flow === undefined) return undefined;
    flow.running--;
    this.#running--;
    this.#forget(user, flow);
    const next = this.#next();
    if (next === undefined) return undefined;
    const request = next.flow.waiting.shift();
    this.#queued--;
    this.#run(next.user, next.flow);
    return request;
  }

  /** A request gives up waiting. False when it waits no more. */
  leave(user: string, request: T): boolean {
    const flow = this.#flows.get(user);
    const at = flow?.waiting.indexOf(request) ?? -1;
    if (flow === undefined || at < 0) return false;
    flow.waiting.splice(at, 1);
    this.#queued--;
    this.#forget(user, flow);
    return true;
  }

  #next(): { user: string; flow: Flow<T> } | undefined {
    let found: { user: string; flow: Flow<T> } | undefined;
    for (const [user, flow] of this.#flows) {
      if (flow.waiting.length === 0) continue;
      if (found === undefined || flow.running < found.flow.running) found = { user, flow };
    }
    return found;
  }

  /** Puts the user behind all others. */
  #run(user: string, flow: Flow<T>): void {
    flow.running++;
    this.#running++;
    this.#flows.delete(user);
    this.#flows.set(user, flow);
  }

  #forget(user: string, { running, waiting }: Flow<T>): void {
    if (running === 0 && waiting.length === 0) this.#flows.delete(user);
  }
}
