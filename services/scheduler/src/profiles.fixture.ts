/** Random profiles, for the test against the plain scheduler. */
import * as fc from 'fast-check';
import { defaultProfiles, type Profile, type Score, type ScoringStrategy, usualWishes, wishes } from './profiles.ts';
import { strategies } from './select-node.ts';

const scoreWeight = fc.integer({ min: 1, max: 5 });
const often = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 3, nil: undefined });
const resources = fc
  .subarray(['cpu', 'memory', 'ephemeral-storage', 'example.com/gpu'], { minLength: 1 })
  .chain((names) => fc.tuple(...names.map((name) => fc.record({ name: fc.constant(name), weight: scoreWeight }))));
const shape = fc
  .uniqueArray(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 4 })
  .chain((points) =>
    fc.tuple(
      ...points
        .toSorted((a, b) => a - b)
        .map((utilization) => fc.record({ utilization: fc.constant(utilization), score: fc.nat({ max: 10 }) })),
    ),
  );
const scoringStrategy: fc.Arbitrary<ScoringStrategy> = fc.oneof(
  fc.record({ type: fc.constantFrom('LeastAllocated' as const, 'MostAllocated' as const), resources }),
  fc.record({
    type: fc.constant('RequestedToCapacityRatio' as const),
    resources,
    requestedToCapacityRatio: fc.record({ shape }),
  }),
);
const wishScore = fc
  .subarray([...wishes], { minLength: 1 })
  .chain((names) => fc.tuple(...names.map((name) => fc.record({ name: fc.constant(name), weight: scoreWeight }))));
const scores: fc.Arbitrary<readonly Score[]> = fc
  .record({
    fit: often(fc.record({ name: fc.constant('NodeResourcesFit' as const), weight: scoreWeight, scoringStrategy })),
    balance: often(
      fc.record({ name: fc.constant('NodeResourcesBalancedAllocation' as const), weight: scoreWeight, resources }),
    ),
    images: often(fc.record({ name: fc.constant('ImageLocality' as const), weight: scoreWeight })),
    wished: fc.oneof(fc.constant(usualWishes), wishScore),
  })
  .map(({ fit, balance, images, wished }) => [fit, balance, images, ...wished].filter((each) => each !== undefined));
/** Profiles of the strategies, of the usual plugins, and of any. */
export const anyProfile: fc.Arbitrary<Profile> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...defaultProfiles) },
  { weight: 2, arbitrary: scores.map((scores) => ({ schedulerName: 'plugins', scores })) },
  {
    weight: 1,
    arbitrary: fc
      .record({ strategy: fc.constantFrom(...strategies), scores: wishScore })
      .map((each) => ({ schedulerName: 'both', ...each })),
  },
);
