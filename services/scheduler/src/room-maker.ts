import { type AtomicWrite, type Change, checkWrite, deleteWrite, updateStatusWrite } from '@navarch/client';
import type { Term } from '@navarch/controller';
import { pod as podKind, takesRoom } from '@navarch/kinds';
import { isApiError, keyOf, type Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { nominee } from './cluster-state.ts';
import { batchSize, guiltyOf, type Hands, refusal, writeOptions } from './hands.ts';
import { withPreempted, withUnschedulable } from './pod-conditions.ts';
import type { PodInfo } from './pod-info.ts';
import { type Company, type Preemption, preemption } from './preemption.ts';

/** Makes lesser Pods leave for one that no node can have, and keeps their room for it. Only the leader does: two would make too much. */
export class RoomMaker {
  readonly #hands: Hands;
  readonly #company: (priority: number) => Company;
  /** The Pods that are on their way out, and for whom, by key. One may make room for several. */
  readonly #leaving = new Map<string, Set<string>>();
  /** Who is still to leave for a Pod, by its key, from when they were chosen on: they don't know yet, or the caches don't. */
  readonly #awaited = new Map<string, Set<string>>();

  /** `company` says who leaves with whom for a Pod of that priority. */
  constructor(hands: Hands, company: (priority: number) => Company) {
    this.#hands = hands;
    this.#company = company;
  }

  /**
   * Whom a Pod that no node can have may push out, if anybody. Room is kept for it at once, so that those decided on next count with
   * it; while those who were asked to leave are still leaving, nobody else is.
   */
  choose(info: PodInfo, seed: number): Preemption | undefined {
    const { state } = this.#hands;
    if (info.pod.spec.preemptionPolicy === 'Never' || this.isLeaving(info)) return undefined;
    const company = this.#company(info.priority);
    const found = state.withoutNomination(info, () => preemption(info, state.snapshot, state.budgets, seed, company));
    this.drop(info.key);
    if (found === undefined) return undefined;
    for (const key of found.victims) {
      const other = nominee(key);
      if (other !== undefined) this.drop(other);
    }
    state.nominate(info, found.nodeName);
    return { ...found, victims: found.victims.filter((key) => nominee(key) === undefined) };
  }

  /** A leader has made room for the Pod: this one before it took office, or another. */
  keep(info: PodInfo): void {
    const { state } = this.#hands;
    const { nominatedNodeName } = info.pod.status;
    if (nominatedNodeName === '' || state.nominationOf(info) !== undefined) return;
    if (state.snapshot.find(nominatedNodeName) < 0) return;
    state.nominate(info, nominatedNodeName);
    this.#await(info.key, this.#leavingFor(info));
  }

  /** No room is kept for the Pod any more. */
  drop(key: string): void {
    this.#awaited.delete(key);
    for (const event of this.#hands.state.dropNomination(key)) this.#hands.queue.happened(event);
  }

  /** Whether less important Pods are on their way out of the node where room is kept for it. */
  isLeaving(info: PodInfo): boolean {
    const { state } = this.#hands;
    const chosen = state.nominationOf(info) !== undefined && this.#awaited.has(info.key);
    return chosen || this.#leavingFor(info).length > 0;
  }

  #leavingFor(info: PodInfo): readonly Live<Pod>[] {
    const { informers, state } = this.#hands;
    const { snapshot } = state;
    const nodeName = state.nominationOf(info);
    const guests = nodeName === undefined ? [] : [...(snapshot.nodes[snapshot.find(nodeName)]?.pods ?? [])];
    const pods = informers.lister(podKind);
    return guests.flatMap(([key, { priority }]) => {
      const pod = priority < info.priority ? pods.get(key) : undefined;
      return pod === undefined || pod.metadata.deletionTimestamp === '' ? [] : [pod];
    });
  }

  /** Whoever room was made for is tried again as soon as the last of those who made it has left. */
  onPod({ type, object: pod }: Change<Pod>): void {
    if (type !== 'deleted' && takesRoom(pod)) return;
    const key = keyOf(pod);
    for (const forWhom of this.#leaving.get(key) ?? []) {
      const awaited = this.#awaited.get(forWhom);
      if (awaited?.delete(key) !== true || awaited.size > 0) continue;
      this.#awaited.delete(forWhom);
      this.#hands.queue.hurry(forWhom);
    }
    this.#leaving.delete(key);
  }

  /**
   * The Pod says where it is going to be, then the victims for whom they leave, and then they are asked to. Each step is refused when the
   * Pod is not there any more as it was; who takes over in between finds it with nobody or some leaving, and goes on from that.
   */
  async make(info: PodInfo, message: string, found: Preemption, term: Term): Promise<void> {
    const { informers, logger } = this.#hands;
    const pods = informers.lister(podKind);
    const victims = found.victims.flatMap((key) => pods.get(key) ?? []);
    const leaving = victims.filter(({ metadata }) => metadata.deletionTimestamp === '');
    this.#await(info.key, victims);
    try {
      await this.#nominate(info, message, found.nodeName, term);
      // One place of each transaction is for the condition that the Pod is still there.
      for (let at = 0; at < leaving.length; at += batchSize - 1) {
        await this.#pushOut(leaving.slice(at, at + batchSize - 1), info, found.nodeName, term);
      }
      logger.info({ pod: info.key, node: found.nodeName, victims: found.victims }, 'making room');
    } catch (error) {
      if (isApiError(error, 'Fenced')) term.lose(error.message);
      this.drop(info.key);
      if (term.signal.aborted) return;
      logger.info({ err: error, pod: info.key }, 'room could not be made; trying again');
      this.#hands.queue.tryAgain(info);
    }
  }

  #await(key: string, victims: readonly Live<Pod>[]): void {
    const keys = victims.map(keyOf);
    for (const victim of keys) this.#leaving.set(victim, (this.#leaving.get(victim) ?? new Set()).add(key));
    if (keys.length > 0) this.#awaited.set(key, new Set(keys));
  }

  async #nominate(info: PodInfo, message: string, nodeName: string, term: Term): Promise<void> {
    const { client, clock, informers } = this.#hands;
    const pod = informers.lister(podKind).get(info.key) ?? info.pod;
    const waiting = withUnschedulable(pod, message, clock.now()) ?? pod;
    const nominated = { ...waiting, status: { ...waiting.status, nominatedNodeName: nodeName } };
    const [outcome] = await client.transact([updateStatusWrite(podKind, nominated)], writeOptions(term));
    if (outcome?.ok !== true) throw refusal(outcome?.error);
  }

  /** They say for whom they leave, all of them or none, and are asked to leave. */
  async #pushOut(victims: readonly Live<Pod>[], info: PodInfo, nodeName: string, term: Term): Promise<void> {
    const { client, clock, recorder } = this.#hands;
    const { namespace, name } = info.pod.metadata;
    const writes: readonly AtomicWrite[] = [
      checkWrite(podKind, { namespace, name }, { uid: info.uid }),
      ...victims.map((victim) => updateStatusWrite(podKind, withPreempted(victim, info, clock.now()))),
    ];
    const outcomes = await client.transact(writes, { ...writeOptions(term), atomic: true });
    const guilty = guiltyOf(outcomes);
    if (guilty !== undefined) throw refusal(guilty.error);
    const deletions = victims.map(({ metadata: { namespace, name, uid } }) =>
      deleteWrite(podKind, { namespace, name }, { uid }),
    );
    const asked = await client.transact(deletions, writeOptions(term));
    // Who is gone already, or another by now, does not have to be asked.
    const stays = asked.find((outcome) => !outcome.ok && !isGone(outcome.error.reason));
    if (stays?.ok === false) throw refusal(stays.error);
    for (const victim of victims) {
      const message = `Makes room for ${info.key}, which is more important, on node ${nodeName}`;
      recorder.event(podKind, victim, 'Normal', 'Preempted', message);
    }
  }
}

function isGone(reason: string): boolean {
  return reason === 'NotFound' || reason === 'Conflict';
}
