import { parseArgs } from 'node:util';
import { describeReport, run } from './run.ts';

const usage = `usage: npm run soak -- api [--minutes <n>] [--seed <n>]

  --minutes  how long the faults go on; 10 when not given
  --seed     what is asked, and what goes wrong, follows from it; a new one when not given`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string' }, seed: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
});
const minutes = Number(values.minutes ?? 10);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const understood = positionals.length === 1 && positionals[0] === 'api' && minutes > 0 && Number.isSafeInteger(seed);

if (values.help) {
  console.log(usage);
} else if (!understood) {
  console.error(usage);
  process.exitCode = 2;
} else {
  const started = performance.now();
  const onLine = (line: string) =>
    console.log(`${((performance.now() - started) / 1000).toFixed(1).padStart(7)} s  ${line}`);
  const again = `npm run soak -- api --minutes ${minutes} --seed ${seed}`;
  onLine(`seed ${seed}; the same again: ${again}`);
  const report = await run({ seed, durationMs: minutes * 60_000, onLine });
  onLine(describeReport(report, again));
  // Not by itself: Node 24.21 spins for ever in its own cleaning up, over a socket to a NATS that was killed.
  process.exit(report.violations.length > 0 ? 1 : 0);
}
