import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Change, type Client, deleteWrite, type InformerSet, updateStatusWrite } from '@navarch/client';
import type { EventRecorder, Term } from '@navarch/controller';
import {
  lease as leaseKind,
  namespace as namespaceKind,
  node as nodeKind,
  persistentVolumeClaim,
  pod as podKind,
  podDisruptionBudget,
  takesRoom,
} from '@navarch/kinds';
import { type Clock, type Logger, type Metrics, systemClock } from '@navarch/kit';
import { isApiError, keyOf, type Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { Announcer } from './announcer.ts';
import { Binder, type Placement } from './binder.ts';
import { ClusterState } from './cluster-state.ts';
import type { ClusterEvent } from './filters.ts';
import { Gangs } from './gangs/gangs.ts';
import { batchSize, type Hands, writeOptions } from './hands.ts';
import { SchedulerMetrics } from './metrics.ts';
import { type Owner, ownerOf } from './ownership.ts';
import { withUnschedulable } from './pod-conditions.ts';
import { type PodInfo, toPodInfo } from './pod-info.ts';
import { PodRules } from './pod-rules.ts';
import { podTerms } from './pod-terms.ts';
import type { Preemption } from './preemption.ts';
import type { Profile } from './profiles.ts';
import { type QueuedPod, SchedulingQueue } from './queue.ts';
import { Replicas } from './replicas.ts';
import { Steering } from './rebalancing/steering.ts';
import { RoomMaker } from './room-maker.ts';
import { type Decision, schedule } from './schedule.ts';
import type { Picture } from './why/picture.ts';

/** How many batches may be on their way to the api while the next is decided. */
const maxBatchesInFlight = 4;
/** How often the leader removes the Leases of replicas that are gone. */
const tidyMs = 2_000;

export interface SchedulerOptions {
  readonly client: Pick<Client, 'get' | 'transact' | 'version'>;
  /** Holds Nodes, Namespaces, claims, budgets, Leases and all Pods. Not running yet: the scheduler must hear of everything from the start. */
  readonly informers: InformerSet;
  readonly recorder: EventRecorder;
  readonly profiles: readonly Profile[];
  /** Different for every process that ever lived. */
  readonly identity: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock?: Clock;
  /** In [0, 1): what seeds come from, and back-off. Default Math.random. */
  readonly random?: () => number;
}

type Refusal = QueuedPod & {
  readonly decision: Extract<Decision, { type: 'reject' }>;
  /** Who is asked to leave for it. */
  readonly preemption: Preemption | undefined;
};

/**
 * Gives Pods their nodes: takes those that wait and are its own (see `ownerOf`), decides for each on a snapshot that counts what was
 * decided before, and binds a batch in one call. What it knows is kept up to date from the start. It decides while `work` runs, and on
 * what only the leader may decide while `lead` runs as well.
 */
export class Scheduler {
  /** Where Pods go that are brought back to the nodes that they were moved from. */
  readonly steering: Steering;
  readonly #hands: Hands;
  readonly #identity: string;
  readonly #profiles: ReadonlyMap<string, Profile>;
  readonly #state = new ClusterState();
  readonly #queue: SchedulingQueue;
  readonly #rules = new PodRules();
  readonly #replicas: Replicas;
  readonly #binder: Binder;
  readonly #announcer: Announcer;
  readonly #roomMaker: RoomMaker;
  readonly #gangs: Gangs;
  /** The Pods that have no node, with whoever places them. */
  readonly #waiting = new Map<string, PodInfo>();
  readonly #inFlight = new Set<Promise<void>>();
  #seed: number;
  /** While this process works, and while it leads. */
  #working: Term | undefined;
  #leading: Term | undefined;
  #divides = false;

  constructor(options: SchedulerOptions) {
    const { client, clock = systemClock, identity, informers, logger, recorder, random = Math.random } = options;
    const alongside = { happened: (event: ClusterEvent) => this.#gangs.happened(event) };
    const queue = new SchedulingQueue({ clock, random, alongside });
    const metrics = new SchedulerMetrics(options.metrics, queue);
    const state = this.#state;
    this.#hands = { client, informers, recorder, logger, clock, metrics, state, queue };
    this.#identity = identity;
    this.#profiles = new Map(options.profiles.map((profile) => [profile.schedulerName, profile]));
    this.#queue = queue;
    this.#announcer = new Announcer(this.#hands, this.#rules);
    this.#binder = new Binder(this.#hands, this.#announcer);
    this.#roomMaker = new RoomMaker(this.#hands, (priority) => this.#gangs.company(priority));
    this.#gangs = new Gangs({
      ...this.#hands,
      random,
      profiles: this.#profiles,
      announce: async (members, term) => {
        if (members.every(({ repels }) => this.#rules.areAnnounced(repels))) return;
        await this.#announcer.announce(term);
      },
      announceAnew: (term) => this.#announcer.announce(term),
      seed: () => this.#seed++,
      happened: (event) => queue.happened(event),
    });
    this.#replicas = new Replicas({ clock, onChange: () => this.#divideSoon() });
    this.steering = new Steering({
      informers,
      state,
      onChange: () => {
        queue.happened('pod-left');
        this.#divideSoon();
      },
    });
    this.#seed = Math.floor(random() * 2 ** 31);
    informers.onChange(leaseKind, (change) => this.#replicas.onLease(change));
    informers.onChange(nodeKind, (change) => {
      for (const event of state.onNode(change)) queue.happened(event);
    });
    informers.onChange(podDisruptionBudget, (change) => state.onBudget(change));
    informers.onChange(namespaceKind, (change) => {
      this.#rules.namespacesChanged();
      for (const event of state.onNamespace(change)) queue.happened(event);
    });
    informers.onChange(persistentVolumeClaim, (change) => {
      for (const event of state.onClaim(change)) queue.happened(event);
    });
    informers.onChange(podKind, (change) => {
      for (const event of state.onPod(change)) queue.happened(event);
      this.#learnRules(change);
      this.#roomMaker.onPod(change);
      if (this.#gangs.onPod(change)) this.#leave(keyOf(change.object));
      else this.#consider(change);
    });
  }

  /** The cluster as it is known now. Copies every Pod's footprint: some 2 µs each. */
  picture(): Picture {
    const state = this.#state;
    return {
      snapshot: state.snapshot.copy(),
      budgets: state.budgets,
      profiles: this.#profiles,
      withClaims: (pod) => state.withClaims(pod),
      // What another replica places waits there to be tried.
      waits: (key) =>
        this.#queue.whereabouts(key) ?? (this.#waiting.has(key) || this.#gangs.waits(key) ? 'active' : undefined),
      nominationOf: (pod) => state.nominationOf(pod),
      isLeaving: (pod) => this.#roomMaker.isLeaving(pod),
    };
  }

  /** Places the Pods of this replica, and while `lead` runs the leader's, until the term is over. */
  async work(term: Term): Promise<void> {
    const { signal } = term;
    this.#working = term;
    this.#divide();
    try {
      while (!signal.aborted) {
        await this.#queue.waiting(signal);
        // Pods that come together are seen in one turn of the event loop, and bound in one call.
        await nextTurn();
        if (signal.aborted) break;
        this.#start(this.#queue.take(batchSize));
        // Deciding goes on while batches are on their way; what was decided already counts.
        if (this.#inFlight.size >= maxBatchesInFlight) await Promise.race(this.#inFlight);
      }
    } finally {
      this.#working = undefined;
      this.#divide();
      await Promise.all(this.#inFlight);
    }
  }

  /** Does what only the leader may, until the term is over. */
  async lead(term: Term): Promise<void> {
    const { signal } = term;
    try {
      // Only then do the caches show all that earlier leaders bound.
      await this.#hands.informers.reached(term.revision, signal);
      this.#rules.forgetAnnounced();
      this.#leading = term;
      this.#divide();
      await Promise.all([this.#keepTidy(term), this.#gangs.lead(term)]);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#leading = undefined;
      this.#divide();
      await Promise.all(this.#inFlight);
    }
  }

  async #keepTidy(term: Term): Promise<void> {
    while (!term.signal.aborted) {
      await this.#tidy(term);
      await this.#hands.clock.sleep(tidyMs, term.signal);
    }
  }

  /** A replica whose Lease is gone writes nothing more, whenever what it had sent arrives. */
  async #tidy(term: Term): Promise<void> {
    const { client, logger } = this.#hands;
    const { lost } = this.#replicas;
    if (lost.length === 0) return;
    try {
      const writes = lost.map(({ metadata: { namespace, name, uid } }) =>
        deleteWrite(leaseKind, { namespace, name }, { uid }),
      );
      await client.transact(writes.slice(0, batchSize), writeOptions(term));
    } catch (error) {
      if (isApiError(error, 'Fenced')) term.lose(error.message);
      else if (!term.signal.aborted)
        logger.warn({ err: error }, 'leases of replicas that are gone could not be removed');
    }
  }

  #learnRules({ type, object: pod }: Change<Pod>): void {
    const terms = pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    const isThere = type !== 'deleted' && takesRoom(pod);
    const grew = this.#rules.onPod(keyOf(pod), isThere ? podTerms(pod, terms) : []);
    // Pods that are with other replicas may be the leader's from now on.
    if (grew && this.#replicas.alive.length > 1) this.#divideSoon();
  }

  /** Keeps a Pod that needs a node from this scheduler, and no other. */
  #consider({ type, object: pod }: Change<Pod>): void {
    const key = keyOf(pod);
    const wanted = type !== 'deleted' && pod.metadata.deletionTimestamp === '' && takesRoom(pod);
    const waits = wanted && pod.spec.nodeName === '' && pod.spec.schedulingGates.length === 0;
    const info = waits ? toPodInfo(pod) : undefined;
    if (info === undefined || !this.#profiles.has(info.schedulerName)) {
      this.#roomMaker.drop(key);
      this.#leave(key);
      return;
    }
    this.#waiting.set(key, info);
    this.#enqueue(info);
  }

  /** The Pod needs no node from the queue: it has one, is gone, or is placed with its group. */
  #leave(key: string): void {
    this.#waiting.delete(key);
    this.#queue.remove(key);
  }

  #enqueue(info: PodInfo): void {
    // A change from before the binding may be seen after it was done: that Pod has what it needs.
    if (this.#state.assumes(info)) return this.#queue.refresh(info);
    this.#roomMaker.keep(info);
    if (this.#termFor(info) === undefined) this.#queue.remove(info.key);
    else this.#queue.add(info);
  }

  /** Who owns a Pod may have changed for all of them: once in this turn of the event loop. */
  #divideSoon(): void {
    if (this.#divides) return;
    this.#divides = true;
    setImmediate(() => this.#divide());
  }

  #divide(): void {
    this.#divides = false;
    for (const info of this.#waiting.values()) this.#enqueue(info);
  }

  /** In whose name this process places the Pod; undefined when another does. */
  #termFor(info: PodInfo): Term | undefined {
    if (this.#working === undefined) return undefined;
    const owner = this.#ownerOf(info);
    if (owner.type === 'leader') return this.#leading;
    return owner.identity === this.#identity ? this.#working : undefined;
  }

  #ownerOf(info: PodInfo): Owner {
    if (this.steering.concerns(info)) return { type: 'leader' };
    const mine: Owner = { type: 'replica', identity: this.#identity };
    const { alive } = this.#replicas;
    // Its own Lease is seen a moment after it was written.
    const replicas = alive.includes(this.#identity) ? alive : [...alive, this.#identity];
    return ownerOf(info, { replicas, rules: this.#rules, namespaces: this.#state.snapshot.namespaces }) ?? mine;
  }

  #start(taken: readonly QueuedPod[]): void {
    const byTerm = Map.groupBy(taken, ({ info }) => this.#termFor(info));
    for (const [term, pods] of byTerm) {
      // It became another's since it was queued.
      if (term === undefined) for (const { info } of pods) this.#queue.remove(info.key);
      else {
        const work = this.#place(pods, term);
        this.#inFlight.add(work);
        const done = () => this.#inFlight.delete(work);
        work.then(done, done);
      }
    }
  }

  /** What is left to do for Pods with new rules begins once everybody has heard of these. */
  async #place(taken: readonly QueuedPod[], term: Term): Promise<void> {
    const isNew = ({ info }: QueuedPod) => term === this.#leading && !this.#rules.areAnnounced(info.repels);
    const unheardOf = taken.filter(isNew);
    const others = taken.filter((each) => !isNew(each));
    await Promise.all([this.#decide(others, term), unheardOf.length > 0 && this.#announceAndDecide(unheardOf, term)]);
  }

  async #announceAndDecide(taken: readonly QueuedPod[], term: Term): Promise<void> {
    try {
      await this.#announcer.announce(term);
    } catch (error) {
      if (isApiError(error, 'Fenced')) term.lose(error.message);
      if (!term.signal.aborted)
        this.#hands.logger.warn({ err: error }, 'new rules between Pods could not be announced');
    }
    const known = taken.filter(({ info }) => term === this.#leading && this.#rules.areAnnounced(info.repels));
    for (const each of taken) if (!known.includes(each)) this.#queue.failed(each.info);
    await this.#decide(known, term);
  }

  /** Decides for all of `taken`, then does it. Whatever happens, each of them is back in the queue or placed at the end. */
  async #decide(taken: readonly QueuedPod[], term: Term): Promise<void> {
    if (taken.length === 0) return;
    const { clock, informers, metrics } = this.#hands;
    const placements: Placement[] = [];
    const refusals: Refusal[] = [];
    const byLeader = term === this.#leading;
    const decidedAt = informers.revision;
    for (const queued of taken) {
      const profile = this.#profiles.get(queued.info.schedulerName);
      if (profile === undefined) continue; // never queued
      const startMs = clock.monotonicMs();
      const info = this.#state.withClaims(queued.info);
      const decide = (pod: PodInfo) => schedule(pod, this.#state.snapshot, profile, this.#seed++);
      const steered = byLeader ? this.steering.decide(info, decide) : undefined;
      const decision = steered ?? this.#state.withoutNomination(info, () => decide(info));
      metrics.decided(clock.monotonicMs() - startMs);
      if (decision.type === 'reject') {
        // A replica says that the Pod waits, and with that hands it over to the leader; unless it leads itself.
        const preemption = this.#leading === undefined ? undefined : this.#roomMaker.choose(info, this.#seed++);
        refusals.push({ ...queued, decision, preemption });
      } else {
        this.#roomMaker.drop(info.key);
        for (const event of this.#state.assume(queued.info, decision.nodeName)) this.#queue.happened(event);
        placements.push({ ...queued, decision, decidedAt, byLeader });
      }
    }
    await Promise.all([this.#binder.bind(placements, term), this.#refuse(refusals, this.#leading ?? term)]);
  }

  /** Says why in an Event and in the Pod's status, where that is news. */
  async #refuse(refusals: readonly Refusal[], term: Term): Promise<void> {
    const { clock, informers, metrics, recorder } = this.#hands;
    const made = refusals.map(({ info, preemption, decision: { message } }) =>
      preemption === undefined ? undefined : this.#roomMaker.make(info, message, preemption, term),
    );
    const news = refusals.flatMap(({ info, preemption, decision: { message, filters } }) => {
      metrics.attempted('unschedulable');
      this.#queue.unschedulable(info, filters);
      recorder.event(podKind, info.pod, 'Warning', 'FailedScheduling', message);
      if (preemption !== undefined) return [];
      const pod = informers.lister(podKind).get(info.key) ?? info.pod;
      return withUnschedulable(pod, message, clock.now()) ?? [];
    });
    await Promise.all([...made, this.#tellWhy(news, term)]);
  }

  async #tellWhy(news: readonly Live<Pod>[], term: Term): Promise<void> {
    const { client, logger } = this.#hands;
    if (news.length === 0) return;
    try {
      const writes = news.map((pod) => updateStatusWrite(podKind, pod));
      const outcomes = await client.transact(writes, writeOptions(term));
      // Who changed the Pod meanwhile is seen at the next attempt.
      const refused = outcomes.filter((outcome) => !outcome.ok && outcome.error.reason !== 'Conflict');
      if (refused.length > 0) logger.warn({ outcomes: refused }, 'the reason why Pods wait could not be told');
    } catch (error) {
      if (isApiError(error, 'Fenced')) term.lose(error.message);
      else if (!term.signal.aborted) logger.warn({ err: error }, 'the reason why Pods wait could not be told');
    }
  }
}
