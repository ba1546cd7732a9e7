import { expect, test } from 'vitest';
import { describeReport, run } from './run.ts';

const durationMs = 12_000;

// Another seed each day, so that runs add up; the one that failed stands in the message.
test('nothing is lost, stale or told wrongly while etcd, NATS and the api are killed, paused and cut off', async () => {
  const seed = Math.floor(Date.now() / 86_400_000);
  const report = await run({ seed, durationMs });
  const words = describeReport(report, `npm run soak -- api --minutes ${durationMs / 60_000} --seed ${seed}`);
  expect(report.violations.length, words).toBe(0);
  // A run in which nothing went wrong, or nothing was done, would prove nothing.
  expect(report.faults.length, words).toBeGreaterThan(5);
  for (const type of ['written', 'read', 'refused'] as const) {
    expect(report.calls.filter(({ outcome }) => outcome.type === type).length, words).toBeGreaterThan(20);
  }
  expect(report.events, words).toBeGreaterThan(100);
});
