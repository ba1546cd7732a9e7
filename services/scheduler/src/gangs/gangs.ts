import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Change } from '@navarch/client';
import type { Term } from '@navarch/controller';
import { pod as podKind, podGroup as podGroupKind, queue as queueKind, takesRoom } from '@navarch/kinds';
import { Backoff } from '@navarch/kit';
import { isApiError, keyOf, parseKey } from '@navarch/machinery';
import type { Pod, PodGroup, PodGroupReservation } from '@navarch/proto';
import type { ClusterEvent } from '../filters.ts';

import type { Company } from '../preemption.ts';
import type { Profile } from '../profiles.ts';
import { type Queueable, SchedulingQueue } from '../queue.ts';
import { Agenda } from './agenda.ts';
import { GangBook, groupKeyOf } from './book.ts';
import { companyOf } from './company.ts';
import type { Group } from './group.ts';
import { type GangPlan, reservationOf, stillFitting } from './plan.ts';
import { newsOf } from './news.ts';
import { remainingMs, type Why } from './status.ts';
import type { Placement } from './trial.ts';
import { GangWriter, type WriterOptions } from './writer.ts';

export interface GangsOptions extends Omit<WriterOptions, 'book' | 'happened'> {
  readonly random: () => number;
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly seed: () => number;
  /** Hears what may have become possible for Pods and groups. */
  readonly happened: (event: ClusterEvent) => void;
}

/** Groups are few, and have an order: they wait no longer after the tenth attempt than after the first. */
const backoff = { baseMs: 1_000, maxMs: 1_000, jitter: 0.1 };

/**
 * Gives groups of Pods their places, each whole or not at all: takes one after another, decides on what counts everything that was
 * decided before, and has done with it before it takes the next. Pods that belong to a group are placed here and nowhere else.
 */
export class Gangs {
  readonly #options: GangsOptions;
  readonly #book: GangBook;
  readonly #queue: SchedulingQueue<Queueable>;
  readonly #agenda: Agenda;
  readonly #writer: GangWriter;
  /** Groups of which something has changed since they were looked at. */
  readonly #touched = new Set<string>();
  /** Groups and queues whose status may be out of date. */
  readonly #untold = new Set<string>();
  readonly #untoldQueues = new Set<string>();
  /** What each group used, and who waited in it, when it was looked at last. */
  readonly #seen = new Map<string, { readonly group: Group; readonly waiting: string; readonly version: number }>();
  readonly #timeouts = new Map<string, Disposable>();
  #versions = 0;

  constructor(options: GangsOptions) {
    this.#options = options;
    const { clock, random, state, informers, profiles } = options;
    this.#book = new GangBook(state, ({ schedulerName }) => profiles.has(schedulerName));
    this.#agenda = new Agenda(options, this.#book);
    this.#queue = new SchedulingQueue({ clock, random, backoff });
    const happened = (events: readonly ClusterEvent[]) => events.forEach(options.happened);
    this.#writer = new GangWriter({ ...options, book: this.#book, happened });
    informers.onChange(podGroupKind, (change) => this.#onGroup(change));
    informers.onChange(queueKind, (change) => {
      this.#book.onQueue(change);
      this.#untoldQueues.add(change.object.metadata.name);
      options.happened('queue-changed');
      this.#queue.nudge();
    });
  }

  happened(event: ClusterEvent): void {
    this.#queue.happened(event);
  }

  /** Whether the Pod belongs to a group: then it is placed here. */
  onPod(change: Change<Pod>): boolean {
    for (const key of this.#book.onPod(change)) {
      this.#touch(key);
      const reservation = this.#book.group(key)?.object.status.reservation;
      if (reservation !== undefined) this.#keepPlaces(key, reservation);
    }
    return change.type !== 'deleted' && groupKeyOf(change.object) !== undefined;
  }

  /** Whether the Pod is a member that waits. */
  waits(podKey: string): boolean {
    const key = this.#book.groupOfPod(podKey);
    return (
      key !== undefined && this.#book.pods(key).some((info) => info.key === podKey && info.pod.spec.nodeName === '')
    );
  }

  /** Who else leaves when some do for somebody of that priority. */
  company(priority: number): Company {
    return companyOf(this.#book, this.#options.state.snapshot, priority, new Set());
  }

  #onGroup(change: Change<PodGroup>): void {
    if (!this.#book.onGroup(change)) return;
    const key = keyOf(change.object);
    this.#touch(key);
    // All replicas heed places that are kept, whoever leads.
    this.#keepPlaces(key, this.#book.group(key)?.object.status.reservation);
  }

  #touch(key: string): void {
    this.#touched.add(key);
    this.#queue.nudge();
  }

  /** Works until the term is over. The caches show all that was done before it. */
  async lead(term: Term): Promise<void> {
    const { signal } = term;
    const { clock, logger } = this.#options;
    const pause = new Backoff({ baseMs: 100, maxMs: 5_000, jitter: 0.5 });
    for (const key of this.#book.keys()) this.#touched.add(key);
    for (const name of this.#book.queueNames()) this.#untoldQueues.add(name);
    this.#look();
    try {
      while (!signal.aborted) {
        if (this.#untold.size + this.#untoldQueues.size + this.#touched.size === 0) await this.#queue.waiting(signal);
        await nextTurn();
        this.#look();
        for (const { info } of this.#queue.take(1)) await this.#inTurn(info, term);
        const [untold, untoldQueues] = [[...this.#untold], [...this.#untoldQueues]];
        this.#untold.clear();
        this.#untoldQueues.clear();
        try {
          const why = (key: string) => this.#agenda.why(key);
          const news = newsOf(this.#book, { groups: untold, queues: untoldQueues }, why, clock.now());
          await this.#writer.tell(news, term);
          pause.reset();
        } catch (error) {
          for (const key of untold) this.#untold.add(key);
          for (const name of untoldQueues) this.#untoldQueues.add(name);
          if (isApiError(error, 'Fenced')) term.lose(error.message);
          if (signal.aborted) break;
          logger.warn({ err: error }, 'the state of groups could not be told; trying again');
          await clock.sleep(pause.next(), signal);
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Looks at all groups of which something has changed: who is ready waits for its turn, places that are kept are kept. */
  #look(): void {
    const keys = [...this.#touched];
    this.#touched.clear();
    for (const key of keys) {
      const group = this.#book.group(key);
      const seen = this.#seen.get(key);
      this.#untold.add(key);
      this.#untoldQueues.add((group ?? seen?.group)?.object.spec.queue ?? '');
      this.#keepPlaces(key, group?.object.status.reservation);
      if (group === undefined || group.object.metadata.deletionTimestamp !== '') this.#forget(key);
      else this.#consider(group, seen);
      if (seen !== undefined && letsOthersIn(seen.group, group)) this.#options.happened('queue-changed');
    }
  }

  #forget(key: string): void {
    this.#seen.delete(key);
    this.#agenda.waitsNoMore(key);
    this.#timeouts.get(key)?.[Symbol.dispose]();
    this.#timeouts.delete(key);
    this.#queue.remove(key);
  }

  #consider(group: Group, seen: { readonly waiting: string; readonly version: number } | undefined): void {
    const { key, object, priority } = group;
    const waiting = `${object.metadata.generation} ${group.waiting.map(({ uid, generation }) => `${uid} ${generation}`).join()}`;
    const version = seen?.waiting === waiting ? seen.version : ++this.#versions;
    this.#seen.set(key, { group, waiting, version });
    if (!group.ready && object.status.reservation === undefined) {
      this.#agenda.waitsNoMore(key);
      this.#queue.remove(key);
    } else this.#queue.add({ key, uid: object.metadata.uid, priority, generation: version });
  }

  /** In the snapshot something stands for each member whose place is kept. */
  #keepPlaces(key: string, reservation: PodGroupReservation | undefined): void {
    const { state } = this.#options;
    const places = new Map(reservation?.places.map(({ uid, nodeName }) => [uid, nodeName]));
    const waiting = new Set(this.#book.group(key)?.waiting);
    for (const info of this.#book.pods(key)) {
      const nodeName = waiting.has(info) ? places.get(info.uid) : undefined;
      if (state.nominationOf(info) === nodeName) continue;
      state.dropNomination(info.key).forEach(this.#options.happened);
      // Nobody can push out those who are being bound.
      const priority = reservation?.phase === 'Binding' ? Number.POSITIVE_INFINITY : info.priority;
      if (nodeName !== undefined) state.nominate({ ...info, priority }, nodeName);
    }
  }

  /** Tries the group, and before it those in front of it that are only waiting for a while to pass. */
  async #inTurn(taken: Queueable, term: Term): Promise<void> {
    const group = this.#book.group(taken.key);
    const ahead = group === undefined ? [] : this.#agenda.ahead(group);
    for (const key of ahead) {
      const claimed = this.#queue.claim(key);
      if (claimed !== undefined) await this.#attempt(claimed.info, term);
    }
    await this.#attempt(taken, term);
  }

  /** Whatever happens, the group is back in the queue or has its places at the end. */
  async #attempt(info: Queueable, term: Term): Promise<void> {
    const { key } = info;
    const { logger } = this.#options;
    try {
      const group = this.#book.group(key);
      const reservation = group?.object.status.reservation;
      if (group === undefined) this.#queue.remove(key);
      else if (reservation?.phase === 'Binding') await this.#goOn(group, reservation, term);
      else if (reservation !== undefined && (await this.#stillMakesRoom(info, group, reservation, term))) return;
      else if (group.ready) await this.#carryOut(info, group, this.#agenda.plan(group), term);
      else this.#queue.remove(key);
    } catch (error) {
      if (isApiError(error, 'Fenced')) term.lose(error.message);
      if (!term.signal.aborted) logger.info({ err: error, group: key }, 'group not placed; trying again');
      this.#queue.failed(info);
    } finally {
      // What came of it is looked at; what happened to the group meanwhile as well.
      if (!term.signal.aborted) this.#touched.add(key);
    }
  }

  async #carryOut(info: Queueable, group: Group, plan: GangPlan, term: Term): Promise<void> {
    const { metrics, recorder, logger } = this.#options;
    const { key, object } = group;
    switch (plan.type) {
      case 'place': {
        await this.#place(group, plan.placements, term);
        return;
      }
      case 'makeRoom': {
        await this.#makeRoom(info, group, plan, term);
        return;
      }
      case 'wait': {
        this.#wait(info, group, plan.why, plan.filters, plan.couldGo);
        metrics.attempted('unschedulable', group.waiting.length);
        logger.debug({ group: key, why: plan.why.message }, 'group waits');
        recorder.event(podGroupKind, object, 'Warning', 'FailedScheduling', plan.why.message);
        return;
      }
      default:
        plan satisfies never;
    }
  }

  #wait(info: Queueable, group: Group, why: Why, filters: ReadonlySet<string>, couldGo: boolean): void {
    const { clock } = this.#options;
    this.#agenda.waits(group.key, why, couldGo);
    this.#queue.unschedulable(info, filters);
    // Somebody who joined while the group was being decided on was not counted.
    if (this.#touched.has(group.key)) this.#queue.tryAgain(info);
    this.#timeouts.get(group.key)?.[Symbol.dispose]();
    this.#timeouts.delete(group.key);
    const remaining = remainingMs(group, clock.now());
    if (remaining !== undefined && remaining > 0) {
      this.#timeouts.set(
        group.key,
        clock.timer(remaining, () => this.#queue.tryAgain(info)),
      );
    }
  }

  async #place({ key, object }: Group, placements: readonly Placement[], term: Term): Promise<void> {
    const { recorder, logger } = this.#options;
    this.#assume(placements);
    await this.#writer.bind(key, placements, term);
    this.#agenda.waitsNoMore(key);
    this.#queue.remove(key);
    logger.info({ group: key, members: placements.length }, 'group placed');
    recorder.event(podGroupKind, object, 'Normal', 'Scheduled', `Gave ${placements.length} members their places`);
  }

  #assume(placements: readonly Placement[]): void {
    const { state, happened } = this.#options;
    for (const { info, nodeName } of placements) {
      state.dropNomination(info.key);
      state.assume(info, nodeName).forEach(happened);
      this.#book.decided(info.key);
    }
  }

  /** An earlier attempt, of this leader or another, has settled who goes where. */
  async #goOn(group: Group, reservation: PodGroupReservation, term: Term): Promise<void> {
    const { state } = this.#options;
    this.#keepPlaces(group.key, undefined);
    const placements = stillFitting(reservation, group.waiting, state.snapshot);
    this.#assume(placements);
    await this.#writer.bindSettled(group.key, placements, term);
    this.#queue.remove(group.key);
  }

  async #makeRoom(
    info: Queueable,
    group: Group,
    { placements, victims, why }: Extract<GangPlan, { type: 'makeRoom' }>,
    term: Term,
  ): Promise<void> {
    const { informers } = this.#options;
    const pods = informers.lister(podKind);
    const leaving = victims.flatMap((key) => {
      const { namespace, name } = parseKey(key);
      const uid = pods.get({ namespace, name })?.metadata.uid;
      return uid === undefined ? [] : [{ namespace, pod: name, uid }];
    });
    const reservation = reservationOf('MakingRoom', placements, leaving);
    await this.#writer.reserve(group.key, why, reservation, term);
    this.#keepPlaces(group.key, reservation);
    await this.#writer.askToLeave(group.key, leaving, term);
    this.#waitForRoom(info, group, leaving.length);
  }

  #waitForRoom(info: Queueable, group: Group, leaving: number): void {
    const why = { reason: 'MakingRoom', message: `${leaving} less important Pods are leaving to make room` };
    this.#wait(info, group, why, new Set(['NodeResourcesFit']), true);
  }

  /** Whether others are still leaving for the group. Once they have left, the places are taken; or given up, when they don't fit. */
  async #stillMakesRoom(info: Queueable, group: Group, reservation: PodGroupReservation, term: Term): Promise<boolean> {
    const { informers, state } = this.#options;
    const pods = informers.lister(podKind);
    this.#keepPlaces(group.key, undefined);
    const fitting = group.ready ? stillFitting(reservation, group.waiting, state.snapshot) : [];
    if (fitting.length === reservation.places.length && fitting.length >= group.need) {
      await this.#place(group, fitting, term);
      return true;
    }
    const leaving = reservation.victims.filter(({ namespace, pod: name, uid }) => {
      const pod = pods.get({ namespace, name });
      return pod?.metadata.uid === uid && takesRoom(pod);
    });
    if (leaving.length > 0 && group.ready) {
      this.#keepPlaces(group.key, reservation);
      await this.#writer.askToLeave(group.key, leaving, term);
      this.#waitForRoom(info, group, leaving.length);
      return true;
    }
    await this.#writer.reserve(group.key, undefined, undefined, term);
    return false;
  }
}

/** Whether a group uses less than before, or waits no more: then others of its queue may go. */
function letsOthersIn(before: Group, after: Group | undefined): boolean {
  if (after === undefined || (before.ready && !after.ready)) return true;
  return Object.entries(before.used).some(([resource, amount]) => (after.used[resource] ?? 0) < amount);
}
