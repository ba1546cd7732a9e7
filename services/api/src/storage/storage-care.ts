import { Backoff, type Clock, type Component, type Logger, type Metrics, onAbort } from '@navarch/kit';
import type { Compare, Maintenance, MemberReport, Store } from '@navarch/store';
import { type CareStep, type CareTimes, type CareView, planCare, planForMembers, usualTimes } from './care-plan.ts';
import { type CareRecord, changeCareRecord, type Defragmentation, readCareRecord } from './care-record.ts';
import { answered, fullness, pressureOf, type StorageLimits, type StoragePressure } from './pressure.ts';
import { RevisionHistory } from './revision-history.ts';
import { StorageMetrics } from './storage-metrics.ts';

export interface StorageCareOptions {
  readonly store: Store;
  /** Undefined for a store that needs no other care than compaction. */
  readonly maintenance: Maintenance | undefined;
  readonly limits: StorageLimits;
  readonly times?: CareTimes | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Unique among all api processes that ever were. */
  readonly identity: string;
  /** The condition that this replica is the one that acts; undefined when it is not. */
  readonly fence: () => readonly Compare[] | undefined;
  /** Reports as an Event what users should know. */
  readonly tell: (type: 'Normal' | 'Warning', reason: string, message: string) => void;
}

/** What is known of the store's room, for whoever asks. */
export interface StorageState {
  readonly members: readonly MemberReport[];
  readonly pressure: StoragePressure | undefined;
  readonly limits: StorageLimits;
  readonly record: CareRecord;
  /** As of the plan of the replica that asks: any of them would plan the same. */
  readonly waitingFor: string | undefined;
}

type Deed = Exclude<CareStep, { do: 'nothing' }>;

const lookEveryMs = 10_000;
/** Closer, because a second of creates at full speed takes 20 MB. */
const lookWhenTightEveryMs = 2_000;

/**
 * Keeps the store's house: looks at its members all the time, and does what `planCare` says, one step at a time. Every replica
 * looks; the one for which `lead` runs acts.
 */
export class StorageCare implements Component {
  readonly name = 'care of the store';
  readonly #options: StorageCareOptions;
  readonly #times: CareTimes;
  readonly #metrics: StorageMetrics;
  readonly #history: RevisionHistory;
  #members: readonly MemberReport[] = [];
  #pressure: StoragePressure | undefined;
  #leads = false;
  #acting: Promise<void> | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: StorageCareOptions) {
    this.#options = options;
    this.#times = options.times ?? usualTimes;
    this.#metrics = new StorageMetrics(options.metrics, options.limits);
    this.#history = new RevisionHistory(this.#times.keepMs);
  }

  /** As it was seen last; undefined before that, and where nobody can tell. */
  get pressure(): StoragePressure | undefined {
    return this.#pressure;
  }

  async state(signal: AbortSignal): Promise<StorageState> {
    const record = await readCareRecord(this.#options.store, signal);
    const step = planForMembers(this.#view(record));
    const waitingFor = step.do === 'nothing' ? step.waitingFor : undefined;
    return { members: this.#members, pressure: this.#pressure, limits: this.#options.limits, record, waitingFor };
  }

  /** Lets this replica act until `signal` aborts. */
  async lead(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    using _listener = onAbort(signal, () => resolve());
    this.#leads = true;
    await promise;
    this.#leads = false;
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#running = this.#run(signal);
  }

  /** A defragmentation that is under way is etcd's, and goes on without us. */
  async stop(): Promise<void> {
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    const backoff = new Backoff({ baseMs: 1_000, maxMs: 30_000 });
    while (!signal.aborted) {
      let delayMs = this.#lookAgainInMs();
      try {
        await this.#look(signal);
        if (this.#leads && this.#acting === undefined) await this.#next(signal);
        backoff.reset();
        delayMs = this.#lookAgainInMs();
      } catch (error) {
        if (signal.aborted) break;
        delayMs = backoff.next();
        logger.warn({ err: error, delayMs: Math.round(delayMs) }, 'the store could not be looked after; trying again');
      }
      // The sleep ends early only because of the signal, which ends the loop.
      await clock.sleep(delayMs, signal).catch(() => undefined);
    }
  }

  #lookAgainInMs(): number {
    const usual = this.#pressure === undefined || this.#pressure.level === 'roomy';
    const everyMs = usual ? lookEveryMs : lookWhenTightEveryMs;
    // Times that are shortened for a test or a small store need a closer look.
    return Math.min(everyMs, this.#times.compactEveryMs / 5);
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { store, maintenance, limits, clock, logger } = this.#options;
    const [revision, members] = await Promise.all([store.revision(signal), maintenance?.status() ?? []]);
    this.#history.add(revision, clock.now());
    this.#members = members;
    const before = this.#pressure;
    this.#pressure = pressureOf(members, limits) ?? before;
    this.#metrics.seen(members, this.#pressure);
    const now = this.#pressure;
    if (now === undefined || (now.level === before?.level && sameAlarms(now, before))) return;
    const fields = { level: now.level, usedBytes: now.usedBytes, diskBytes: now.diskBytes, alarms: now.alarms };
    if (now.level === 'full') {
      logger.warn(fields, `${fullness(now)}; nothing new is created until there is room`);
      this.#tell('Warning', 'StorageFull', 'Nothing new is created until there is room; navctl storage tells more');
    } else if (before !== undefined || now.level !== 'roomy') {
      logger.info(fields, fullness(now));
      if (before?.level === 'full') this.#tell('Normal', 'StorageHasRoom', 'There is room again: objects are created');
    }
    for (const alarm of now.alarms) {
      if (before?.alarms.includes(alarm) !== true) this.#tell('Warning', 'StorageAlarm', `etcd has raised ${alarm}`);
    }
  }

  /** The messages say no figures, so that what happens again is counted. */
  #tell(type: 'Normal' | 'Warning', reason: string, message: string): void {
    if (this.#leads) this.#options.tell(type, reason, message);
  }

  #view(record: CareRecord): CareView {
    const { limits, clock, maintenance } = this.#options;
    const members = maintenance === undefined ? [alwaysRoomy] : this.#members;
    const revisionAt = (atMs: number) => this.#history.at(atMs);
    return { members, limits, times: this.#times, revisionAt, record, nowMs: clock.now() };
  }

  async #next(signal: AbortSignal): Promise<void> {
    const { store, logger } = this.#options;
    const step = planCare(this.#view(await readCareRecord(store, signal)));
    if (step.do === 'nothing') return;
    this.#acting = this.#act(step, signal)
      .then(
        () => this.#metrics.done(step.do, 'done'),
        (error: unknown) => {
          this.#metrics.done(step.do, 'failed');
          if (signal.aborted) return;
          logger.warn({ err: error, step: step.do }, 'a step of the care of the store failed');
          this.#tell('Warning', 'StorageCareFailed', `could not ${step.do}; it is tried again`);
        },
      )
      .finally(() => (this.#acting = undefined));
    // A defragmentation takes its time, in which it is good to go on looking.
    if (step.do !== 'defragment') await this.#acting;
  }

  async #act(step: Deed, signal: AbortSignal): Promise<void> {
    const { store, maintenance, clock, logger, fence } = this.#options;
    switch (step.do) {
      case 'compact': {
        await store.compact(step.revision, signal);
        const compaction = { revision: String(step.revision), atMs: clock.now() };
        await changeCareRecord(store, (record) => ({ ...record, compaction }), fence);
        logger.debug({ revision: compaction.revision, why: step.why }, 'the store has forgotten old history');
        return;
      }
      case 'defragment':
        return await this.#defragment(step);
      case 'disarm':
        await maintenance?.disarm();
        await changeCareRecord(store, (record) => ({ ...record, disarmedAtMs: clock.now() }), fence);
        logger.info({ why: step.why }, "etcd's space alarm is taken back");
        this.#tell('Normal', 'StorageAlarmCleared', "etcd's space alarm is taken back: there is room");
    }
  }

  async #defragment({ endpoint, why }: Extract<Deed, { do: 'defragment' }>): Promise<void> {
    const { store, maintenance, clock, logger, identity, fence } = this.#options;
    const claim = { endpoint, sinceMs: clock.now(), by: identity };
    const claimed = await changeCareRecord(
      store,
      (record) => (mayClaim(record, claim, this.#times) ? { ...record, defragmenting: claim } : undefined),
      fence,
    );
    if (claimed === undefined) return;
    logger.info({ endpoint, why }, 'defragmenting a member of etcd');
    const startedMs = clock.monotonicMs();
    const bytesBefore = this.#diskBytes(endpoint);
    // When this fails, etcd may still be at it: then the claim stays until it has run out.
    await maintenance?.defragment(endpoint);
    this.#members = (await maintenance?.status()) ?? [];
    const deed = { atMs: clock.now(), bytesBefore, bytesAfter: this.#diskBytes(endpoint) };
    // Ours by the claim, whoever leads by now.
    const ours = (record: CareRecord) => record.defragmenting?.by === identity;
    const noFence = () => [];
    await changeCareRecord(store, (record) => (ours(record) ? ended(record, endpoint, deed) : undefined), noFence);
    const tookMs = Math.round(clock.monotonicMs() - startedMs);
    logger.info({ endpoint, bytesBefore, bytesAfter: this.#diskBytes(endpoint), tookMs }, 'a member is defragmented');
    this.#tell('Normal', 'StorageDefragmented', `defragmented etcd's member ${endpoint}`);
  }

  #diskBytes(endpoint: string): number {
    return this.#members.filter(answered).find((member) => member.endpoint === endpoint)?.diskBytes ?? 0;
  }
}

/** A store that nobody can ask how full it is. */
const alwaysRoomy: MemberReport = {
  endpoint: '',
  version: '',
  diskBytes: 0,
  usedBytes: 0,
  alarms: [],
  leads: true,
  appliedIndex: 0,
};

function mayClaim({ defragmenting }: CareRecord, { sinceMs }: { sinceMs: number }, times: CareTimes): boolean {
  return defragmenting === undefined || sinceMs - defragmenting.sinceMs >= times.defragmentAtMostMs;
}

function ended(record: CareRecord, endpoint: string, deed: Defragmentation): CareRecord {
  const defragmentations = { ...record.defragmentations, [endpoint]: deed };
  return { ...record, defragmenting: undefined, defragmentations };
}

function sameAlarms(a: StoragePressure, b: StoragePressure): boolean {
  return a.alarms.join() === b.alarms.join();
}
