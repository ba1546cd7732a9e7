import * as fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { isOver } from '../pod-state.ts';
import type { JobSpecParts } from './jobs.fixture.ts';
import { type Happening, Play } from './play.fixture.ts';
import { isFinished } from './status.ts';

// On a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const pick = fc.nat(20);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('succeeds', 'fails', 'starts'), pick }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('isDeleted', 'loses its node'), pick }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('time'), ms: fc.integer({ min: -60_000, max: 300_000 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('parallelism', 'elastic'), pick }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('suspend', 'resume', 'agents') }) },
);
const story = fc.array(fc.record({ event: happening, steps: fc.integer({ min: 0, max: 3 }) }), { maxLength: 60 });

const parallelism = fc.integer({ min: 1, max: 5 });
const podReplacementPolicy = fc.constantFrom('Failed', 'TerminatingOrFailed');
const backoffLimit = fc.constantFrom(0, 2, 100);
const spec: fc.Arbitrary<JobSpecParts> = fc.oneof(
  fc.record({ parallelism, podReplacementPolicy, backoffLimit }),
  fc.record({ parallelism, completions: fc.integer({ min: 1, max: 6 }), podReplacementPolicy, backoffLimit }),
  fc.record({
    parallelism,
    completions: fc.integer({ min: 1, max: 6 }),
    completionMode: fc.constant('Indexed'),
    podReplacementPolicy,
    backoffLimit,
  }),
  fc.record({
    parallelism,
    completions: fc.integer({ min: 1, max: 6 }),
    completionMode: fc.constant('Indexed'),
    podReplacementPolicy,
    backoffLimitPerIndex: fc.nat(2),
  }),
  parallelism.map((size) => ({ parallelism: size, completions: size, completionMode: 'Indexed', backoffLimit: 100 })),
);

/** Everybody does what they should, until the controller has nothing more to do. */
function comeToRest(play: Play): void {
  play.happen({ type: 'resume' });
  if (play.job.spec.parallelism === 0) play.happen({ type: 'parallelism', pick: 3 });
  for (let round = 0; round < 500; round++) {
    const { writes, againAfterMs } = play.step();
    const alive = play.pods.filter(({ status }) => !isOver(status.phase));
    play.endPods();
    if (writes.length > 0) continue;
    if (alive.length > 0) play.happen({ type: 'succeeds', pick: 0 });
    else if (againAfterMs !== undefined) play.happen({ type: 'time', ms: againAfterMs });
    else return;
  }
  throw new Error('the controller never comes to rest');
}

test('whatever happens, each Pod counts once, there are never too many, and the Job comes to its end', () => {
  fc.assert(
    fc.property(spec, story, (spec, events) => {
      const play = new Play(spec);
      for (const { event, steps } of events) {
        play.happen(event);
        for (let step = 0; step < steps; step++) play.step();
      }
      comeToRest(play);
      expect(play.wrongs).toEqual([]);
      expect(isFinished(play.job)).toBe(true);
      expect(play.pods.filter(({ metadata }) => metadata.finalizers.length > 0)).toEqual([]);
      expect(play.pods.filter(({ status }) => !isOver(status.phase))).toEqual([]);
      expect(play.step()).toEqual({ writes: [], events: [] });
    }),
    { numRuns: 500 },
  );
});
