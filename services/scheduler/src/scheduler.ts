import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  bindWrite,
  deleteWrite,
  type Change,
  type Client,
  type ClientWrite,
  type InformerSet,
  type WriteOutcome,
  updateStatusWrite,
  updateWrite,
} from '@navarch/client';
import type { EventRecorder, Term } from '@navarch/controller';
import {
  namespace as namespaceKind,
  node as nodeKind,
  persistentVolumeClaim,
  pod as podKind,
  podDisruptionBudget,
  takesRoom,
} from '@navarch/kinds';
import { Backoff, type Clock, type Logger, type Metrics, retry, systemClock } from '@navarch/kit';
import { ApiError, isApiError, type Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { nodeOf, settledOn } from './claims.ts';
import { ClusterState, nominee } from './cluster-state.ts';
import { SchedulerMetrics } from './metrics.ts';
import type { Profile } from './profiles.ts';
import { type QueuedPod, SchedulingQueue } from './queue.ts';
import { type Decision, schedule } from './schedule.ts';
import { type PodInfo, toPodInfo } from './pod-info.ts';
import { withPreempted, withUnschedulable } from './pod-conditions.ts';
import { type Preemption, preemption } from './preemption.ts';
import type { Picture } from './why/picture.ts';

/** How many writes one Transact may carry. */
const batchSize = 100;
/** How many batches may be on their way to the api while the next is decided. */
const maxBatchesInFlight = 4;
const writeTimeoutMs = 10_000;

export interface SchedulerOptions {
  readonly client: Pick<Client, 'get' | 'transact' | 'version'>;
  /** Holds Nodes, Namespaces, claims and all Pods. Not running yet: the scheduler must hear of everything from the start. */
  readonly informers: InformerSet;
  readonly recorder: EventRecorder;
  readonly profiles: readonly Profile[];
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock?: Clock;
  /** In [0, 1): what seeds come from, and back-off. Default Math.random. */
  readonly random?: () => number;
}

type Placement = QueuedPod & { readonly decision: Extract<Decision, { type: 'place' }> };
type Refusal = QueuedPod & {
  readonly decision: Extract<Decision, { type: 'reject' }>;
  /** Who is asked to leave for it. */
  readonly preemption: Preemption | undefined;
};

/**
 * Gives Pods their nodes: takes those that wait, decides for each on a snapshot that counts what was decided before, and
 * binds a batch in one call. What it knows is kept up to date from the start; it decides only while `lead` runs.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #clock: Clock;
  readonly #profiles: ReadonlyMap<string, Profile>;
  readonly #state = new ClusterState();
  readonly #queue: SchedulingQueue;
  readonly #metrics: SchedulerMetrics;
  #seed: number;

  constructor(options: SchedulerOptions) {
    const { clock = systemClock, informers, random = Math.random } = options;
    this.#options = options;
    this.#clock = clock;
    this.#profiles = new Map(options.profiles.map((profile) => [profile.schedulerName, profile]));
    this.#queue = new SchedulingQueue({ clock, random });
    this.#metrics = new SchedulerMetrics(options.metrics, this.#queue);
    this.#seed = Math.floor(random() * 2 ** 31);
    informers.onChange(nodeKind, (change) => {
      for (const event of this.#state.onNode(change)) this.#queue.happened(event);
    });
    informers.onChange(podDisruptionBudget, (change) => this.#state.onBudget(change));
    informers.onChange(namespaceKind, (change) => {
      for (const event of this.#state.onNamespace(change)) this.#queue.happened(event);
    });
    informers.onChange(persistentVolumeClaim, (change) => {
      for (const event of this.#state.onClaim(change)) this.#queue.happened(event);
    });
    informers.onChange(podKind, (change) => {
      for (const event of this.#state.onPod(change)) this.#queue.happened(event);
      this.#consider(change);
    });
  }

  /** The cluster as it is known now. Copies every Pod's footprint: 1 µs or so each. */
  picture(): Picture {
    const state = this.#state;
    return {
      snapshot: state.snapshot.copy(),
      budgets: state.budgets,
      profiles: this.#profiles,
      withClaims: (pod) => state.withClaims(pod),
      waits: (key) => this.#queue.whereabouts(key),
      nominationOf: (pod) => state.nominationOf(pod),
      isLeaving: (pod) => this.#isLeaving(pod),
    };
  }

  /** Queues a Pod that needs a node from this scheduler, and no other. */
  #consider({ type, object: pod }: Change<Pod>): void {
    const info = toPodInfo(pod);
    const { nodeName } = pod.spec;
    const wanted = type !== 'deleted' && pod.metadata.deletionTimestamp === '' && takesRoom(pod);
    const waits = wanted && nodeName === '' && pod.spec.schedulingGates.length === 0;
    if (!waits || !this.#profiles.has(info.schedulerName)) {
      this.#drop(info.key);
      this.#queue.remove(info.key);
    }
    // A change from before the binding may be seen after it was done: that Pod has what it needs.
    else if (this.#state.assumes(info)) this.#queue.refresh(info);
    else {
      this.#keepRoom(info);
      this.#queue.add(info);
    }
  }

  /** Works until the term is over. */
  async lead(term: Term): Promise<void> {
    const { signal } = term;
    const inFlight = new Set<Promise<void>>();
    try {
      // Only then do the caches show all that earlier leaders bound.
      await this.#options.informers.reached(term.revision, signal);
      while (!signal.aborted) {
        await this.#queue.waiting(signal);
        // Pods that come together are seen in one turn of the event loop, and bound in one call.
        await nextTurn();
        if (signal.aborted) break;
        const taken = this.#queue.take(batchSize);
        const work = this.#work(taken, term);
        inFlight.add(work);
        const done = () => inFlight.delete(work);
        work.then(done, done);
        // Deciding goes on while batches are on their way; what was decided already counts.
        if (inFlight.size >= maxBatchesInFlight) await Promise.race(inFlight);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      await Promise.all(inFlight);
    }
  }

  /** Decides for all of `taken`, then does it. Whatever happens, each of them is back in the queue or placed at the end. */
  async #work(taken: readonly QueuedPod[], term: Term): Promise<void> {
    const placements: Placement[] = [];
    const refusals: Refusal[] = [];
    for (const queued of taken) {
      const profile = this.#profiles.get(queued.info.schedulerName);
      if (profile === undefined) continue; // never queued
      const startMs = this.#clock.monotonicMs();
      const info = this.#state.withClaims(queued.info);
      const decide = () => schedule(info, this.#state.snapshot, profile, this.#seed++);
      const decision = this.#state.withoutNomination(info, decide);
      this.#metrics.decided(this.#clock.monotonicMs() - startMs);
      if (decision.type === 'reject') refusals.push({ ...queued, decision, preemption: this.#preempt(info) });
      else {
        this.#drop(info.key);
        for (const event of this.#state.assume(queued.info, decision.nodeName)) this.#queue.happened(event);
        placements.push({ ...queued, decision });
      }
    }
    await Promise.all([this.#bind(placements, term), this.#refuse(refusals, term)]);
  }

  /**
   * Whom a Pod that no node can have may push out, if anybody. Room is kept for it at once, so that those decided on next count with
   * it; while those who were asked to leave are still leaving, nobody else is.
   */
  #preempt(info: PodInfo): Preemption | undefined {
    const state = this.#state;
    if (info.pod.spec.preemptionPolicy === 'Never' || this.#isLeaving(info)) return undefined;
    const found = state.withoutNomination(info, () => preemption(info, state.snapshot, state.budgets, this.#seed++));
    this.#drop(info.key);
    if (found === undefined) return undefined;
    for (const key of found.victims) {
      const other = nominee(key);
      if (other !== undefined) this.#drop(other);
    }
    state.nominate(info, found.nodeName);
    return { ...found, victims: found.victims.filter((key) => nominee(key) === undefined) };
  }

  /** An earlier leader has made room for the Pod. */
  #keepRoom(info: PodInfo): void {
    const { nominatedNodeName } = info.pod.status;
    if (nominatedNodeName === '' || this.#state.nominationOf(info) !== undefined) return;
    if (this.#state.snapshot.find(nominatedNodeName) >= 0) this.#state.nominate(info, nominatedNodeName);
  }

  /** Whether less important Pods are on their way out of the node where room is kept for it. */
  #isLeaving(info: PodInfo): boolean {
    const { snapshot } = this.#state;
    const nodeName = this.#state.nominationOf(info);
    const guests = nodeName === undefined ? [] : [...(snapshot.nodes[snapshot.find(nodeName)]?.pods ?? [])];
    const pods = this.#options.informers.lister(podKind);
    return guests.some(
      ([key, { priority }]) => priority < info.priority && (pods.get(key)?.metadata.deletionTimestamp ?? '') !== '',
    );
  }

  /** No room is kept for the Pod any more. */
  #drop(key: string): void {
    for (const event of this.#state.dropNomination(key)) this.#queue.happened(event);
  }

  /** Pods whose claims are new are bound one by one, together with them; all others in one call. */
  async #bind(placements: readonly Placement[], term: Term): Promise<void> {
    const settles = (placement: Placement) => this.#state.unsettledClaims(placement.info).length > 0;
    const ready = placements.filter((placement) => !settles(placement));
    const writes = ready.map(bindingOf);
    const bound = this.#transact(ready, () => this.#options.client.transact(writes, this.#writeOptions(term)), term);
    for (const placement of placements.filter(settles)) {
      await this.#transact([placement], async () => [await this.#bindWithClaims(placement, term)], term);
    }
    await bound;
  }

  /** The Pod's claims get their node and the Pod is bound, or neither: no Pod is ever on a node that its data is not on. */
  async #bindWithClaims(placement: Placement, term: Term): Promise<WriteOutcome> {
    const { client } = this.#options;
    const { nodeName } = placement.decision;
    const writes: ClientWrite[] = [];
    for (const key of this.#state.unsettledClaims(placement.info)) {
      const [namespace = '', name = ''] = key.split('/');
      // The cached one may lack what others just wrote to a claim that is this new.
      const claim = await client.get(persistentVolumeClaim, { namespace, name }, { signal: term.signal });
      const node = nodeOf(claim);
      if (claim.metadata.deletionTimestamp !== '') throw new ApiError('Conflict', `claim ${name} is being deleted`);
      if (node === '') writes.push(updateWrite(persistentVolumeClaim, settledOn(nodeName, claim)));
      else if (node !== nodeName) throw new ApiError('Conflict', `claim ${name} lives on node ${node}`);
    }
    const all = [...writes, bindingOf(placement)];
    const outcomes = await client.transact(all, { ...this.#writeOptions(term), atomic: true });
    const guilty = outcomes.find((outcome) => !outcome.ok && outcome.blameless !== true);
    const last = guilty ?? outcomes[all.length - 1];
    if (last === undefined) throw new ApiError('InternalError', 'the api said nothing about a binding');
    return last;
  }

  async #transact(
    placements: readonly Placement[],
    call: () => Promise<readonly WriteOutcome[]>,
    term: Term,
  ): Promise<void> {
    if (placements.length === 0) return;
    const startMs = this.#clock.monotonicMs();
    let outcomes: readonly WriteOutcome[];
    try {
      outcomes = await call();
    } catch (error) {
      await this.#bindFailed(placements, error, term);
      return;
    }
    const nowMs = this.#clock.monotonicMs();
    this.#metrics.bindingTook(nowMs - startMs);
    for (const [index, placement] of placements.entries()) {
      const outcome = outcomes[index];
      if (outcome?.ok) this.#bound(placement, nowMs);
      else {
        if (outcome?.error.reason === 'Fenced') term.lose(outcome.error.message);
        this.#giveBack(placement, outcome?.error.message ?? 'the api said nothing about it');
      }
    }
  }

  #bound({ info, decision, sinceMs }: Placement, nowMs: number): void {
    const { recorder, logger } = this.#options;
    this.#metrics.attempted('scheduled');
    this.#metrics.bound(nowMs - sinceMs);
    this.#queue.remove(info.key);
    logger.debug({ pod: info.key, node: decision.nodeName, score: decision.score }, 'pod bound');
    const message = `Successfully assigned ${info.key} to ${decision.nodeName}`;
    recorder.event(podKind, info.pod, 'Normal', 'Scheduled', message);
  }

  /** The Pod has gone or changed, the node has gone, or the binding is known not to have been done. */
  #giveBack({ info, decision }: Placement, why: string): void {
    this.#metrics.attempted('error');
    this.#options.logger.info({ pod: info.key, node: decision.nodeName, why }, 'pod not bound; trying again');
    for (const event of this.#state.forget(info)) this.#queue.happened(event);
    this.#queue.failed(info);
  }

  async #bindFailed(placements: readonly Placement[], error: unknown, term: Term): Promise<void> {
    const { informers, logger } = this.#options;
    if (isApiError(error, 'Fenced')) term.lose(error.message);
    // It may have been done all the same: the caches tell, once they show a revision from after the call.
    const maybeDone = !isApiError(error) || isApiError(error, 'Unavailable', 'Timeout', 'Cancelled', 'InternalError');
    if (maybeDone && !term.signal.aborted) {
      logger.warn({ err: error, pods: placements.length }, 'binding failed; looking what came of it');
      try {
        await informers.reached(await this.#revisionNow(term.signal), term.signal);
      } catch (error) {
        if (!term.signal.aborted) throw error;
      }
    }
    const why = error instanceof Error ? error.message : String(error);
    for (const placement of placements) {
      const now = informers.lister(podKind).get(placement.info.key);
      const done = now?.metadata.uid === placement.info.uid && now.spec.nodeName === placement.decision.nodeName;
      if (done) this.#bound(placement, this.#clock.monotonicMs());
      else this.#giveBack(placement, why);
    }
  }

  #revisionNow(signal: AbortSignal): Promise<bigint> {
    const { client, logger } = this.#options;
    return retry(async (signal) => (await client.version({ signal })).revision, {
      backoff: new Backoff({ baseMs: 100, maxMs: 2_000, jitter: 0.5 }),
      signal,
      clock: this.#clock,
      onError: (error, delayMs) => logger.warn({ err: error, delayMs }, 'the api does not answer; trying again'),
    });
  }

  /** Says why in an Event and in the Pod's status, where that is news. */
  async #refuse(refusals: readonly Refusal[], term: Term): Promise<void> {
    const { informers, recorder } = this.#options;
    const preempting = refusals.filter(({ preemption }) => preemption !== undefined);
    const made = Promise.all(preempting.map((refusal) => this.#makeRoom(refusal, term)));
    const news = refusals.flatMap(({ info, preemption, decision: { message, filters } }) => {
      this.#metrics.attempted('unschedulable');
      this.#queue.unschedulable(info, filters);
      recorder.event(podKind, info.pod, 'Warning', 'FailedScheduling', message);
      if (preemption !== undefined) return [];
      const pod = informers.lister(podKind).get(info.key) ?? info.pod;
      return withUnschedulable(pod, message, this.#clock.now()) ?? [];
    });
    await Promise.all([made, this.#tellWhy(news, term)]);
  }

  async #tellWhy(news: readonly Live<Pod>[], term: Term): Promise<void> {
    const { client, logger } = this.#options;
    if (news.length === 0) return;
    try {
      const writes = news.map((pod) => updateStatusWrite(podKind, pod));
      const outcomes = await client.transact(writes, this.#writeOptions(term));
      // Who changed the Pod meanwhile is seen at the next attempt.
      const refused = outcomes.filter((outcome) => !outcome.ok && outcome.error.reason !== 'Conflict');
      if (refused.length > 0) logger.warn({ outcomes: refused }, 'the reason why Pods wait could not be told');
    } catch (error) {
      if (isApiError(error, 'Fenced')) term.lose(error.message);
      else if (!term.signal.aborted) logger.warn({ err: error }, 'the reason why Pods wait could not be told');
    }
  }

  /**
   * The Pod says where it is going to be and the victims for whom they leave, all of it or nothing; then they are asked to. Who
   * takes over in between finds the Pod without anybody leaving, and chooses again.
   */
  async #makeRoom({ info, decision, preemption: found }: Refusal, term: Term): Promise<void> {
    if (found === undefined) return;
    const { client, informers, logger, recorder } = this.#options;
    const pods = informers.lister(podKind);
    const now = this.#clock.now();
    const pod = pods.get(info.key) ?? info.pod;
    const waiting = withUnschedulable(pod, decision.message, now) ?? pod;
    const nominated = { ...waiting, status: { ...waiting.status, nominatedNodeName: found.nodeName } };
    const victims = found.victims.flatMap((key) => pods.get(key) ?? []);
    const leaving = victims.filter(({ metadata }) => metadata.deletionTimestamp === '');
    const writes = [
      updateStatusWrite(podKind, nominated),
      ...leaving.map((victim) => updateStatusWrite(podKind, withPreempted(victim, info, now))),
    ];
    const deletions = leaving.map(({ metadata: { namespace, name, uid } }) =>
      deleteWrite(podKind, { namespace, name }, { uid }),
    );
    try {
      const outcomes = await client.transact(writes, { ...this.#writeOptions(term), atomic: true });
      const refused = outcomes.find((outcome) => !outcome.ok && outcome.blameless !== true);
      if (refused !== undefined && !refused.ok) throw new ApiError('Conflict', refused.error.message);
      if (deletions.length > 0) await client.transact(deletions, this.#writeOptions(term));
      for (const victim of leaving) {
        const message = `Makes room for ${info.key}, which is more important, on node ${found.nodeName}`;
        recorder.event(podKind, victim, 'Normal', 'Preempted', message);
      }
      logger.info({ pod: info.key, node: found.nodeName, victims: found.victims }, 'making room');
    } catch (error) {
      if (isApiError(error, 'Fenced')) term.lose(error.message);
      if (term.signal.aborted) return;
      logger.info({ err: error, pod: info.key }, 'room could not be made; trying again');
      this.#drop(info.key);
      this.#queue.tryAgain(info);
    }
  }

  #writeOptions(term: Term) {
    return { fence: term.fence(), signal: term.signal, timeoutMs: writeTimeoutMs };
  }
}

function bindingOf({ info, decision }: Placement): ClientWrite {
  const { namespace, name } = info.pod.metadata;
  return bindWrite({ namespace, name, uid: info.uid, nodeName: decision.nodeName });
}
