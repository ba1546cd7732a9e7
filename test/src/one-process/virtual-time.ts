import { setTimeout as delay } from 'node:timers/promises';
import { VirtualClock } from '@navarch/kit';

/** How far the clock goes in one step, and what real time a step leaves for calls over loopback to get through. */
const stepMs = 100;
const realMsAStep = 1;

/** Nothing that a cluster does of itself takes longer. */
const longestMs = 20 * 60_000;

/**
 * The one clock of a cluster, which stands still but while somebody waits for something: then it goes tens of times as
 * fast as real time, and slower when the machine is busy, so that no lease runs out for want of CPU. Calls travel over
 * loopback in real time, so two runs of one test are alike but not the same step by step.
 */
export class VirtualTime {
  readonly clock = new VirtualClock();
  #waiting = 0;
  #running = false;

  /** Lets time go on until `promise` has settled. */
  async passes<T>(promise: Promise<T>): Promise<T> {
    this.#waiting += 1;
    // The first who waits moves the clock for all.
    if (!this.#running) void this.#run();
    try {
      return await promise;
    } finally {
      this.#waiting -= 1;
    }
  }

  async pass(ms: number): Promise<void> {
    await this.passes(this.clock.sleep(ms));
  }

  /** Asks `check` at every step until it gives something truthy. `why` tells what is amiss when time runs out. */
  async until<T>(
    what: string,
    check: () => T | Promise<T>,
    why: () => string | Promise<string> = () => '',
  ): Promise<NonNullable<T>> {
    const deadlineMs = this.clock.monotonicMs() + longestMs;
    const asking = async () => {
      for (;;) {
        const value = await check();
        if (value) return value;
        if (this.clock.monotonicMs() >= deadlineMs) {
          throw new Error(`waited ${longestMs / 1000} s of virtual time in vain for ${what}: ${await why()}`);
        }
        await this.clock.sleep(2 * stepMs);
      }
    };
    return this.passes(asking());
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting > 0) {
      await delay(realMsAStep);
      await this.clock.advance(stepMs);
    }
    this.#running = false;
  }
}
