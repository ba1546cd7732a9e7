import { startNats, waitFor } from '@navarch/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child, runChild } from '../../frame/child.ts';
import type { Figure } from '../../frame/figure.ts';
import { cpuSeconds } from '../../frame/process-usage.ts';
import { percentile } from '../../frame/samples.ts';
import { startApiProcess } from './api-process.ts';
import type { FeedResult } from './loads/feed-watchers.ts';
import { delaysMs, type Moments, since } from './moments.ts';
import type { FeedWrites } from './loads/feed-writer.ts';
import { diskEtcd, type PartOptions } from './measure.ts';

const watchers = 1_000;
const processes = 4;
const perSecond = 500;
const seconds = 10;
/** A new api compiles itself while it serves its first calls, which is another figure. */
const warmUpSeconds = 5;
/** What is still under way when the last write was answered has come by then. */
const settleMs = 5_000;

interface FeedRun {
  readonly fewestEvents: number;
  readonly holes: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** Creates at a steady pace, heard by a thousand watchers of the change feed, beside the same messages by NATS alone. */
export async function* feed({ say, profileDir }: PartOptions): AsyncIterable<Figure> {
  await using nats = await startNats();
  say(`${perSecond} changes a second to ${watchers} watchers, by NATS alone …`);
  const bare = await listening(nats, say, async () => {
    return await runChild<Moments>(new URL('loads/bare-publisher.js', import.meta.url), {
      nats: nats.url,
      perSecond,
      seconds,
    });
  });
  await using etcd = await diskEtcd();
  const api = await startApiProcess({ etcd: etcd.endpoint, nats: nats.url, profileDir });
  try {
    await waitFor(async () => (await api.metric('navarch_api_feed_batches_total')) > 0, { what: 'the api to publish' });
    say(`${perSecond} writes a second to ${watchers} watchers …`);
    let writes: FeedWrites | undefined;
    const run = await listening(nats, say, async () => {
      const commits = new Child<Moments>(new URL('loads/commit-watcher.js', import.meta.url), { etcd: etcd.endpoint });
      try {
        await commits.ready();
        const before = cpuSeconds(api.pid);
        const options = { address: api.address, perSecond, seconds, warmUpSeconds };
        writes = await runChild<FeedWrites>(new URL('loads/feed-writer.js', import.meta.url), options);
        const took = cpuSeconds(api.pid) - before;
        say(`  api: ${Math.round((took / (warmUpSeconds + seconds)) * 100)} % of a core`);
        return since(await commits.stop(), writes.countedFromMs);
      } finally {
        await commits.kill();
      }
    });
    const { p99Ms, medianMs } = run;
    yield { name: 'commit to event at 1,000 watchers, median', value: medianMs, unit: 'ms', limit: bare.medianMs };
    yield {
      name: 'commit to event at 1,000 watchers, p99',
      value: p99Ms,
      unit: 'ms',
      limit: bare.p99Ms,
      goal: { atMost: 100 },
    };
    yield { name: 'a Create meanwhile, median', value: writes?.medianMs ?? Number.NaN, unit: 'ms' };
    yield { name: 'a Create meanwhile, p99', value: writes?.p99Ms ?? Number.NaN, unit: 'ms' };
    const lost = (writes?.written ?? Number.NaN) - run.fewestEvents + run.holes;
    yield { name: 'events that a watcher lost', value: lost, unit: '', goal: { atMost: 0 } };
  } finally {
    await api.stop();
  }
}

/** What the watchers hear while `write` runs, which gives when each change was. */
async function listening(
  nats: { readonly url: string; readonly pid: number | undefined },
  say: PartOptions['say'],
  write: () => Promise<Moments>,
): Promise<FeedRun> {
  const module = new URL('loads/feed-watchers.js', import.meta.url);
  const options = { nats: nats.url, watchers: watchers / processes };
  const children = Array.from({ length: processes }, () => new Child<FeedResult>(module, options));
  const pids = children.map(({ pid }) => pid);
  try {
    await Promise.all(children.map(async (child) => await child.ready()));
    const busy = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
    const server = () => (nats.pid === undefined ? 0 : cpuSeconds(nats.pid));
    const before = { watchers: busy(), server: server(), atMs: performance.now() };
    const changes = await write();
    await sleep(settleMs);
    const spent = { watchers: busy() - before.watchers, server: server() - before.server };
    const took = (performance.now() - before.atMs) / 1000;
    const results = await Promise.all(children.map(async (child) => await child.stop()));
    const messages = results.reduce((sum, { messages }) => sum + messages, 0);
    const cost = (name: string, seconds: number) =>
      `${((seconds * 1e6) / messages).toFixed(1)} µs ${name} (${Math.round((seconds / took) * 100)} % of a core)`;
    say(
      `  ${messages} messages; processor time for each: ${cost('nats-server', spent.server)}, ${cost('watchers', spent.watchers)}`,
    );
    const delays = results.flatMap(({ heard, previous }) => delaysMs(changes, heard, previous));
    return {
      fewestEvents: Math.min(...results.map(({ fewestEvents }) => fewestEvents)),
      holes: results.reduce((sum, { holes }) => sum + holes, 0),
      medianMs: percentile(delays, 0.5),
      p99Ms: percentile(delays, 0.99),
    };
  } finally {
    await Promise.all(children.map(async (child) => await child.kill()));
  }
}
