/**
 * A change brought about by controllers that fail in the middle, for each moment at which they can: killed after any of
 * their writes, paused with a write on its way that arrives in the time of the next leader, and with caches far behind.
 * Knows no kind: what is made, what plays the agents, and what must never be so is the scenario's to say.
 */
import type { ClientWrite, WriteOutcome } from '@navarch/client';
import type { Controller, Term } from '@navarch/controller';
import { ApiError } from '@navarch/machinery';
import { waitFor } from '@navarch/testing';
import { describe, expect, test } from 'vitest';
import type { Hands } from './carry-out.ts';
import { World } from './world.fixture.ts';

export interface FaultScenario {
  /** Those of one process, with caches over `world`. */
  controllers(world: World, hands: Hands): readonly Controller[];
  /** What scheduler and agents do; called every few milliseconds. */
  agents(world: World): Promise<void>;
  /** Makes what there is before the change. */
  begin(world: World): Promise<void>;
  /** The change whose every write is a moment to fail at. */
  change(world: World): Promise<void>;
  /** What is not yet as it should be before the change, and after it; '' when nothing. */
  amiss(world: World, when: 'before' | 'after'): string;
  /** What must not be at any moment, looked at after each write; '' when all is well. */
  wrong(world: World): string;
}

type Fault = 'killed' | 'paused';
type TransactOptions = Parameters<Hands['client']['transact']>[1];

/** They mostly wait. */
const atOnce = 4;

/** Defines the tests of one scenario. */
export function faultRuns(scenario: FaultScenario): void {
  const expectRightAtEveryWrite = async (fault: Fault, lagMs: number) => {
    for (let first = 1; ; first += atOnce) {
      const runs = Array.from({ length: atOnce }, (_, index) =>
        runOnce(scenario, { fault, afterWrites: first + index, lagMs }),
      );
      const failed = await Promise.all(runs);
      // Otherwise nothing was tried.
      if (first === 1) expect(failed).toContain(true);
      if (failed.includes(false)) return;
    }
  };
  describe('whatever fails', () => {
    test('a process killed after any of its writes leaves nothing that its successor can’t finish', async () => {
      await expectRightAtEveryWrite('killed', 0);
    });
    test('a leader paused at any of its writes, who wakes after its successor has finished, changes nothing', async () => {
      await expectRightAtEveryWrite('paused', 0);
    });
    test('the same with caches that are far behind', async () => {
      await expectRightAtEveryWrite('killed', 5);
    });
  });
}

interface Run {
  readonly fault: Fault;
  readonly afterWrites: number;
  readonly lagMs: number;
}

/** False when the change was over before the fault came. */
async function runOnce(scenario: FaultScenario, run: Run): Promise<boolean> {
  const world = new World();
  world.lagMs = run.lagMs;
  const wrongs = new Set<string>();
  world.onWrite(() => {
    const wrong = scenario.wrong(world);
    if (wrong !== '') wrongs.add(wrong);
  });
  const agents = setInterval(() => void scenario.agents(world), 2);
  const until = (done: () => boolean, when: 'before' | 'after') =>
    waitFor(done, { timeoutMs: 20_000, intervalMs: 2 }).catch((cause: unknown) => {
      const what = `${run.fault} at write ${run.afterWrites}, ${when} the change: ${scenario.amiss(world, when)}`;
      throw new Error(what, { cause });
    });
  const settled = (when: 'before' | 'after') => until(() => scenario.amiss(world, when) === '', when);
  try {
    await scenario.begin(world);
    const first = new FailingLeader(scenario, world);
    await settled('before');
    first.failAfter(run.afterWrites, run.fault);
    await scenario.change(world);
    await until(() => first.hasFailed || scenario.amiss(world, 'after') === '', 'after');
    if (!first.hasFailed) return false;
    void new FailingLeader(scenario, world);
    await settled('after');
    const { length } = world.log;
    await first.wake();
    await settled('after');
    expect({ wrongs: [...wrongs], late: world.log.slice(length) }).toEqual({ wrongs: [], late: [] });
    return true;
  } finally {
    clearInterval(agents);
    await world.end();
  }
}

/** A process that leads from now on, and can be made to fail. */
class FailingLeader {
  hasFailed = false;
  readonly #world: World;
  readonly #term: Term;
  readonly #woken = Promise.withResolvers<void>();
  #late: Promise<unknown> = Promise.resolve();
  #left = Number.POSITIVE_INFINITY;
  #fault: Fault = 'killed';

  constructor(scenario: FaultScenario, world: World) {
    this.#world = world;
    this.#term = world.elect();
    const transact: Hands['client']['transact'] = (writes, options) => this.#transact(writes, options);
    const hands = { client: { ...world.client, transact }, events: world.recorder };
    for (const controller of scenario.controllers(world, hands)) world.run(controller, this.#term);
  }

  failAfter(writes: number, fault: Fault): void {
    this.#left = writes;
    this.#fault = fault;
  }

  /** What it had sent arrives. Resolves once that has been answered. */
  async wake(): Promise<void> {
    this.#woken.resolve();
    await this.#late;
  }

  async #transact(writes: readonly ClientWrite[], options?: TransactOptions): Promise<readonly WriteOutcome[]> {
    if (this.hasFailed) throw new ApiError('Unavailable', 'this process does nothing any more');
    if (this.#left > writes.length) {
      this.#left -= writes.length;
      return this.#world.client.transact(writes, options);
    }
    this.hasFailed = true;
    // Of one call the api does as much as it gets to; of an atomic one all or nothing.
    const last = this.#fault === 'killed' ? this.#left : this.#left - 1;
    const done = options?.atomic !== true ? last : last === writes.length ? last : 0;
    if (done > 0) await this.#world.client.transact(writes.slice(0, done), options);
    if (this.#fault === 'killed') {
      this.#term.end('killed');
      throw new ApiError('Unavailable', 'killed');
    }
    const late = this.#woken.promise.then(() => this.#world.client.transact(writes.slice(done), options));
    this.#late = late;
    await late;
    throw new ApiError('Fenced', 'another leads');
  }
}
