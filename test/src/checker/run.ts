import { setTimeout as delay } from 'node:timers/promises';
import { CreateRequest, GetRequest, ResourcesService } from '@navarch/proto';
import { namespace as namespaceKind, toResource } from '@navarch/kinds';
import { randomFrom } from '@navarch/machinery';
import { EtcdStore } from '@navarch/store';
import { waitFor } from '@navarch/testing';
import { Caller } from './caller.ts';
import { checkReads } from './check-reads.ts';
import { checkInformer, checkWatch } from './check-watches.ts';
import { checkWrites } from './check-writes.ts';
import type { Call, Selection, Version, Violation } from './history.ts';
import { resourceOf, TruthReader } from './marks.ts';
import { accountKeys, accounts, clients, describeFault, faults, lastingKeys, steps } from './plan.ts';
import { RecordedInformer, Watcher } from './watchers.ts';
import { Recorder, Worker } from './workload.ts';
import { World } from './world.ts';

export interface RunOptions {
  readonly seed: number;
  readonly durationMs: number;
  /** Hears of what is going on, a line at a time. */
  readonly onLine?: (line: string) => void;
}

export interface Report {
  readonly seed: number;
  readonly calls: readonly Call[];
  readonly faults: readonly string[];
  readonly events: number;
  readonly streams: number;
  readonly revisions: number;
  readonly violations: readonly Violation[];
}

const everything: readonly Selection[] = ['configmaps', 'secrets', 'pods', 'services'].map((kind) => ({
  kind,
  namespace: '',
  color: '',
}));
/** Long enough for every back-off, keepalive and restart that a fault may have left behind. */
const settleMs = 45_000;

/** One run against real processes, and what came of it. */
export async function run({ seed, durationMs, onLine = () => {} }: RunOptions): Promise<Report> {
  await using world = await World.start();
  const truth = new LiveTruth(world.etcd.endpoint);
  const stop = new AbortController();
  const watching = new AbortController();
  const following = truth.run(watching.signal);
  const callers = Array.from(
    { length: clients },
    (_, i) => new Caller(world.addresses[i % world.addresses.length] ?? ''),
  );
  const recorder = new Recorder();
  await prepare(world);

  const newest = () => truth.revision;
  const common = { addresses: world.addresses, newest };
  const watchers = [
    new Watcher({ ...common, name: 'the watcher of all', selections: everything }),
    new Watcher({ ...common, name: 'the watcher that is often cut', selections: everything, everyMs: 400 }),
    new Watcher({
      ...common,
      name: 'the watcher that begins anew',
      selections: everything.slice(0, 2),
      everyMs: 1_500,
      forgetful: true,
    }),
    new Watcher({
      ...common,
      name: 'the watcher of what is red',
      selections: everything.map((each) => ({ ...each, color: 'red' })),
    }),
    new Watcher({
      ...common,
      name: 'the watcher of blue pods and a namespace',
      selections: [
        { kind: 'pods', namespace: '', color: 'blue' },
        { kind: 'configmaps', namespace: 'checker', color: '' },
      ],
    }),
  ];
  const informers = [
    new RecordedInformer({ name: 'the informer on the feed', address: world.addresses[0] ?? '', nats: world.nats.url }),
    new RecordedInformer({ name: 'the informer without NATS', address: world.addresses[1] ?? '', nats: undefined }),
  ];
  const readers = [...watchers, ...informers].map((reader) => reader.run(watching.signal));

  const inflicted: string[] = [];
  const workers = callers.map((caller, i) => work({ seed, client: i, caller, recorder, signal: stop.signal }));
  const misfortunes = [0, 1].map((row) => harm({ world, seed, row, signal: stop.signal, inflicted, onLine }));
  const progress = setInterval(
    () => onLine(`${summary(recorder.calls, inflicted)}, revision ${truth.revision}`),
    10_000,
  );
  // What fails in any of them ends the run at once.
  const busy = Promise.all([...workers, ...misfortunes]);
  const attentive = Promise.all([...readers, following]);
  try {
    await Promise.race([delay(durationMs), busy, attentive]);
    stop.abort();
    await busy;
  } finally {
    clearInterval(progress);
    stop.abort();
  }
  onLine('all faults are healed; waiting until everybody has come to the end');

  const end = await Promise.race([settled(world, truth, watchers, informers), attentive.then(() => 0n)]);
  watching.abort();
  await attentive;
  for (const caller of callers) caller.close();
  const { versions } = truth;
  const total = { color: accounts.color, sum: accounts.count * accounts.each };
  const violations = [
    ...checkErrors(recorder.calls),
    ...checkWrites(recorder.calls, versions),
    ...checkReads(recorder.calls, versions, total),
    ...watchers.flatMap(({ record }) => checkWatch(record, versions, end)),
    ...informers.flatMap(({ record }) => checkInformer(record, versions, total.sum)),
  ];
  const told = watchers
    .flatMap(({ record }) => record.entries)
    .flatMap((entry) => (entry.type === 'told' ? entry.events : []));
  return {
    seed,
    calls: recorder.calls,
    faults: inflicted,
    events: told.length + informers.reduce((sum, { record }) => sum + record.changes.length, 0),
    streams: watchers.reduce((sum, watcher) => sum + watcher.streams, 0),
    revisions: new Set(versions.map(({ revision }) => revision)).size,
    violations,
  };
}

/** A report in words: one line when all is well, and what was broken, by what, and how to see it again, when not. */
export function describeReport(report: Report, again: string): string {
  const { calls, faults, events, streams, revisions, violations } = report;
  const lines = [
    `${summary(calls, faults)}; ${revisions} revisions, ${events} changes told on ${streams} streams; ${violations.length} violations`,
  ];
  for (const { promise, what, calls: involved } of violations.slice(0, 20)) {
    lines.push(`BROKEN: ${promise}: ${what}`);
    for (const call of involved.toSorted((a, b) => a.began - b.began)) lines.push(`    ${describeCall(call)}`);
  }
  if (violations.length > 20) lines.push(`… and ${violations.length - 20} more`);
  if (violations.length > 0) lines.push(`faults in their order: ${faults.join('; ')}`, `again: ${again}`);
  return lines.join('\n');
}

function describeCall({ id, words, began, ended, outcome }: Call): string {
  const came =
    outcome.type === 'written'
      ? `done at ${outcome.at.map((at) => (at ? `revision ${at.revision}` : 'no revision')).join(', ')}`
      : outcome.type === 'read'
        ? `shown ${outcome.revision === 0n ? '' : `revision ${outcome.revision} with `}${outcome.objects.map(({ key, revision }) => `${key}@${revision}`).join(', ') || 'nothing'}`
        : `${outcome.type}: ${outcome.reason}`;
  return `[${began}–${ended}] ${id}: ${words} → ${came}`;
}

function summary(calls: readonly Call[], inflicted: readonly string[]): string {
  const of = (type: Call['outcome']['type']) => calls.filter(({ outcome }) => outcome.type === type).length;
  return `${calls.length} calls (${of('written')} written, ${of('read')} read, ${of('refused')} refused, ${of('unknown')} unknown), ${inflicted.length} faults`;
}

/** An api that fails through its own fault says so. */
function checkErrors(calls: readonly Call[]): Violation[] {
  return calls.flatMap((call) =>
    call.outcome.type === 'refused' && call.outcome.reason.startsWith('InternalError')
      ? [{ promise: 'the api does not fail through its own fault', what: call.outcome.reason, calls: [call] }]
      : [],
  );
}

/** etcd's own word on what happened, past the api. */
class LiveTruth {
  readonly versions: Version[] = [];
  readonly #store: EtcdStore;
  readonly #reader = new TruthReader(everything.map(({ kind }) => kind));
  revision = 0n;

  constructor(endpoint: string) {
    this.#store = new EtcdStore({ endpoints: endpoint });
  }

  async run(signal: AbortSignal): Promise<void> {
    for await (const { revision, events } of this.#store.watch('/navarch/', { after: 1n, bookmarkMs: 200, signal })) {
      for (const event of events) {
        const version = this.#reader.read(event);
        if (version !== undefined) this.versions.push(version);
      }
      this.revision = revision;
    }
    await this.#store.close();
  }

  newest(): Promise<bigint> {
    return this.#store.revision();
  }
}

/** Makes what there is from the beginning. */
async function prepare(world: World): Promise<void> {
  const caller = new Caller(world.addresses[0] ?? '');
  const create = async (resource: ReturnType<typeof resourceOf>) => {
    const request = { ...CreateRequest.fromJSON({}), resource };
    await waitFor(() => caller.call(ResourcesService.create, request), { timeoutMs: 60_000, what: 'the api to serve' });
  };
  await create(toResource(namespaceKind, namespaceKind.message.fromJSON({ metadata: { name: 'checker' } })));
  for (const key of lastingKeys) {
    const isAccount = accountKeys.includes(key);
    const color = isAccount ? accounts.color : '';
    await create(resourceOf(key, { by: '', count: isAccount ? accounts.each : 0, color }));
  }
  caller.close();
}

async function work(options: {
  seed: number;
  client: number;
  caller: Caller;
  recorder: Recorder;
  signal: AbortSignal;
}): Promise<void> {
  const { seed, client, caller, recorder, signal } = options;
  const worker = new Worker({ caller, recorder, name: `c${client}` });
  const random = randomFrom(seed * 1_000 + 500 + client);
  for (const step of steps(seed, client)) {
    if (signal.aborted) return;
    const outcome = await worker.take(step);
    // An api that is away is not asked all the time.
    await delay(outcome === 'unknown' ? 100 : random.below(15));
  }
}

async function harm(options: {
  world: World;
  seed: number;
  row: number;
  signal: AbortSignal;
  inflicted: string[];
  onLine: (line: string) => void;
}): Promise<void> {
  const { world, seed, row, signal, inflicted, onLine } = options;
  const pause = (ms: number) => delay(ms, undefined, { signal }).catch(() => undefined);
  for (const { fault, afterMs, lastsMs } of faults(seed, row)) {
    await pause(afterMs);
    if (signal.aborted) return;
    const words = describeFault(fault);
    inflicted.push(words);
    onLine(words);
    const heal = await world.inflict(fault);
    await pause(lastsMs);
    await heal();
  }
}

/** Waits until everybody has heard of the last revision; who does not is found out by the checks. Returns that revision. */
async function settled(
  world: World,
  truth: LiveTruth,
  watchers: readonly Watcher[],
  informers: readonly RecordedInformer[],
): Promise<bigint> {
  const options = { timeoutMs: settleMs, intervalMs: 50 };
  await waitFor(async () => (await truth.newest()) > 0n, { ...options, what: 'etcd to answer' });
  for (const address of world.addresses) {
    const caller = new Caller(address);
    const request = GetRequest.fromJSON({ resource: 'namespaces', name: 'default' });
    const get = () => caller.call(ResourcesService.get, request);
    await waitFor(get, { ...options, what: `the api at ${address} to answer` });
    caller.close();
  }
  const end = await truth.newest();
  await waitFor(() => truth.revision >= end, { ...options, what: "etcd's own watch to come to the end" });
  const late = AbortSignal.timeout(settleMs);
  await waitFor(() => watchers.every(({ position }) => position >= end), options).catch(() => undefined);
  await Promise.all(informers.map((informer) => informer.reached(end, late).catch(() => undefined)));
  return end;
}
