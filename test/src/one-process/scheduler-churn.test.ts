import { randomFrom } from '@navarch/machinery';
import { expect, test, vi } from 'vitest';
import { churn } from './scheduler-churn.ts';

vi.setConfig({ testTimeout: 600_000 });

/** More of them look harder: NAVARCH_CHURN_RUNS=50. NAVARCH_CHURN_SEED=7 begins with that one. */
const runs = Number(process.env['NAVARCH_CHURN_RUNS'] ?? 2);
const firstSeed = Number(process.env['NAVARCH_CHURN_SEED'] ?? 1);
const seeds = Array.from({ length: runs }, (_, at) => firstSeed + at);

test.each(seeds)('schedulers killed, paused and cut off break no rule and forget no Pod, story %i', async (seed) => {
  const { wrongs, bound, forgotten, placers } = await churn(randomFrom(seed), 60);
  expect(wrongs).toEqual([]);
  expect(forgotten).toEqual([]);
  expect(bound).toBeGreaterThan(20);
  // The leases of those that are gone were removed.
  expect(placers).toBe(3);
});
