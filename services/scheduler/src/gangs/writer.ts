import { bindWrite, type ClientWrite, deleteWrite, updateStatusWrite, type WriteOutcome } from '@navarch/client';
import type { Term } from '@navarch/controller';
import { pod as podKind, podGroup as podGroupKind, queue as queueKind } from '@navarch/kinds';
import { ApiError, isApiError, type Live } from '@navarch/machinery';
import type { PodGroup, PodGroupReservation, PodGroupVictim, Queue } from '@navarch/proto';
import { chunks } from '../chunks.ts';
import type { ClusterState } from '../cluster-state.ts';
import { guiltyOf, batchSize, caughtUp, type Hands, mayBeDone, writeOptions } from '../hands.ts';
import { withPreempted } from '../pod-conditions.ts';
import type { PodInfo } from '../pod-info.ts';
import { settlingWrites } from '../settling-writes.ts';
import type { GangBook } from './book.ts';
import type { News } from './news.ts';
import { areFree, reservationOf } from './plan.ts';
import { queueStatusOf } from './queue-status.ts';
import { statusOf, type Why } from './status.ts';
import type { Placement } from './trial.ts';

/** What etcd takes in one transaction, less a few for what the api adds. */
const mostOperations = 120;

export interface WriterOptions
  extends Pick<Hands, 'client' | 'informers' | 'recorder' | 'logger' | 'clock' | 'metrics' | 'state'> {
  readonly book: GangBook;
  /** Resolves once all replicas heed the rules about other Pods that these members have. */
  readonly announce: (members: readonly PodInfo[], term: Term) => Promise<void>;
  /** Resolves once nothing can be bound any more that another replica decided before, and the caches show all that was. */
  readonly announceAnew: (term: Term) => Promise<void>;
  /** Hears what giving room back may have made possible. */
  readonly happened: (events: ReturnType<ClusterState['forget']>) => void;
}

/**
 * Does what was decided for a group. Everything that makes a difference is one atomic transaction, in which the group's and its
 * queue's status are compared with what was decided on: of two who decide for one group, or fill one queue, one is refused.
 */
export class GangWriter {
  readonly #options: WriterOptions;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /**
   * Binds the members, whose places count already (they are assumed): all in one transaction where they fit into one. A larger group's
   * places are settled first (`#settle`); from then on there is only forward, for whoever leads (`bindSettled`). Throws when
   * nobody was bound, after which nothing is assumed any more.
   */
  async bind(key: string, placements: readonly Placement[], term: Term): Promise<void> {
    try {
      await this.#options.announce(
        placements.map(({ info }) => info),
        term,
      );
      const bindings = await this.#bindings(placements, term);
      const all = bindings.flat();
      if (fitsOne(all, placements)) await this.#atomically([...this.#statusWrites(key), ...all], term);
      else await this.#settle(key, placements, term);
    } catch (error) {
      await this.#undo(placements, error, term);
      throw error;
    }
    if (this.#options.book.group(key)?.object.status.reservation?.phase === 'Binding') {
      await this.bindSettled(key, placements, term);
    } else this.#bound(placements);
  }

  /**
   * First everybody hears which places are kept. The announcement makes sure of that: the api refuses what another replica decided
   * before it, and this one sees all that was bound until then. Where all of them are still free, the next write settles it.
   */
  async #settle(key: string, placements: readonly Placement[], term: Term): Promise<void> {
    const { announceAnew, state } = this.#options;
    await this.reserve(key, undefined, reservationOf('MakingRoom', placements), term);
    await announceAnew(term);
    if (!areFree(placements, state.snapshot)) throw new ApiError('Conflict', 'others have taken places of the group');
    await this.reserve(key, undefined, reservationOf('Binding', placements), term);
  }

  /** Binds members whose places are settled, each by itself: who is refused has lost its place, and gets another as a member that was lost. */
  async bindSettled(key: string, placements: readonly Placement[], term: Term): Promise<void> {
    const bindings = await this.#bindings(placements, term);
    let batch: { placement: Placement; writes: readonly ClientWrite[] }[] = [];
    const flush = async () => {
      if (batch.length > 0) await this.#bindEach(batch, term);
      batch = [];
    };
    for (const [index, placement] of placements.entries()) {
      const writes = bindings[index] ?? [];
      if (writes.length > 1) await this.#bindWithClaims(placement, writes, term);
      else batch.push({ placement, writes });
      if (batch.length === batchSize) await flush();
    }
    await flush();
    await this.reserve(key, undefined, undefined, term);
  }

  /** Says in the group's status which places are kept for it. */
  async reserve(
    key: string,
    why: Why | undefined,
    reservation: PodGroupReservation | undefined,
    term: Term,
  ): Promise<void> {
    await this.#atomically(this.#statusWrites(key, why, reservation), term);
  }

  /** Asks the victims of a reservation to leave that were not asked yet. */
  async askToLeave(key: string, victims: readonly PodGroupVictim[], term: Term): Promise<void> {
    const { informers, recorder, clock, client, logger } = this.#options;
    const pods = informers.lister(podKind);
    const leaving = victims.flatMap(({ namespace, pod: name, uid }) => {
      const pod = pods.get({ namespace, name });
      return pod?.metadata.uid === uid && pod.metadata.deletionTimestamp === '' ? [pod] : [];
    });
    const now = clock.now();
    for (const some of chunks(leaving)) {
      const marks = some.map((pod) => updateStatusWrite(podKind, withPreempted(pod, { key }, now)));
      await client.transact(marks, writeOptions(term));
      const deletions = some.map(({ metadata: { namespace, name, uid } }) =>
        deleteWrite(podKind, { namespace, name }, { uid }),
      );
      await client.transact(deletions, writeOptions(term));
      for (const pod of some) {
        const message = `Makes room for the group ${key}, which is more important`;
        recorder.event(podKind, pod, 'Normal', 'Preempted', message);
      }
    }
    if (leaving.length > 0) logger.info({ group: key, victims: leaving.length }, 'making room for a group');
  }

  /** Writes statuses that nothing depends on, each by itself. Who is refused is told again when the newer one is seen. */
  async tell({ groups, queues, pods }: News, term: Term): Promise<void> {
    const writes = [
      ...groups.map((group) => updateStatusWrite(podGroupKind, group)),
      ...queues.map((queue) => updateStatusWrite(queueKind, queue)),
      ...pods.map((pod) => updateStatusWrite(podKind, pod)),
    ];
    for (const some of chunks(writes)) {
      this.#learn(some, await this.#options.client.transact(some, writeOptions(term)));
    }
  }

  /** For each member its binding, after the writes that settle its claims. */
  async #bindings(placements: readonly Placement[], term: Term): Promise<readonly (readonly ClientWrite[])[]> {
    const { client, state } = this.#options;
    const settled = new Set<string>();
    const bindings: ClientWrite[][] = [];
    for (const { info, nodeName } of placements) {
      const claims = state.unsettledClaims(info).filter((key) => !settled.has(key));
      for (const claim of claims) settled.add(claim);
      const { namespace, name } = info.pod.metadata;
      const binding = bindWrite({ namespace, name, uid: info.uid, nodeName, decidedAt: 0n });
      bindings.push([...(await settlingWrites(client, claims, nodeName, term.signal)), binding]);
    }
    return bindings;
  }

  #statusWrites(key: string, why?: Why, reservation?: PodGroupReservation): ClientWrite[] {
    const { book, clock } = this.#options;
    const group = book.group(key);
    if (group === undefined) throw new ApiError('NotFound', `the group ${key} is gone`);
    const { object } = group;
    const write = updateStatusWrite(podGroupKind, {
      ...object,
      status: statusOf(group, why, reservation, clock.now()),
    });
    const queue = book.queue(object.spec.queue);
    if (queue === undefined) return [write];
    const status = queueStatusOf(queue, book.inLine(object.spec.queue));
    return [write, updateStatusWrite(queueKind, { ...queue, status })];
  }

  async #atomically(writes: readonly ClientWrite[], term: Term): Promise<void> {
    const outcomes = await this.#options.client.transact(writes, { ...writeOptions(term), atomic: true });
    const guilty = guiltyOf(outcomes);
    if (guilty !== undefined) {
      if (guilty.error.reason === 'Fenced') term.lose(guilty.error.message);
      throw new ApiError('Conflict', guilty.error.message);
    }
    this.#learn(writes, outcomes);
  }

  async #bindEach(
    batch: readonly { placement: Placement; writes: readonly ClientWrite[] }[],
    term: Term,
  ): Promise<void> {
    const { client } = this.#options;
    const placements = batch.map(({ placement }) => placement);
    try {
      const writes = batch.flatMap((each) => each.writes);
      const outcomes = await client.transact(writes, writeOptions(term));
      this.#bound(placements.filter((_, index) => outcomes[index]?.ok));
      this.#forget(placements.filter((_, index) => !outcomes[index]?.ok));
    } catch (error) {
      await this.#undo(placements, error, term);
      throw error;
    }
  }

  async #bindWithClaims(placement: Placement, writes: readonly ClientWrite[], term: Term): Promise<void> {
    try {
      await this.#atomically(writes, term);
      this.#bound([placement]);
    } catch (error) {
      await this.#undo([placement], error, term);
      if (!isApiError(error, 'Conflict', 'NotFound')) throw error;
    }
  }

  /** What was not done counts no more; of what may have been done the caches tell. */
  async #undo(placements: readonly Placement[], error: unknown, term: Term): Promise<void> {
    const { logger } = this.#options;
    if (isApiError(error, 'Fenced')) term.lose(error.message);
    if (mayBeDone(error) && !term.signal.aborted) {
      logger.warn({ err: error, pods: placements.length }, 'binding failed; looking what came of it');
      try {
        await caughtUp(this.#options, term.signal);
      } catch (error) {
        if (!term.signal.aborted) throw error;
      }
    }
    this.#forget(placements);
  }

  #forget(placements: readonly Placement[]): void {
    const { state, book, happened } = this.#options;
    for (const { info } of placements) {
      happened(state.forget(info));
      book.decided(info.key);
    }
  }

  #bound(placements: readonly Placement[]): void {
    const { metrics, recorder, logger } = this.#options;
    metrics.attempted('scheduled', placements.length);
    for (const { info, nodeName } of placements) {
      logger.debug({ pod: info.key, node: nodeName }, 'member bound');
      recorder.event(podKind, info.pod, 'Normal', 'Scheduled', `Successfully assigned ${info.key} to ${nodeName}`);
    }
  }

  /** What was written is newer than what the caches show. */
  #learn(writes: readonly ClientWrite[], outcomes: readonly WriteOutcome[]): void {
    const { book } = this.#options;
    for (const [index, write] of writes.entries()) {
      const outcome = outcomes[index];
      if (!outcome?.ok || write.type !== 'updateStatus') continue;
      // The api answers with an object of the kind that was written.
      if (write.kind === podGroupKind) book.onGroup({ type: 'modified', object: outcome.object as Live<PodGroup> });
      if (write.kind === queueKind) book.onQueue({ type: 'modified', object: outcome.object as Live<Queue> });
    }
  }
}

/**
 * Whether all of it is one transaction for the store, too, which counts a key for each node beside the writes (the api sees to it that
 * no node is overcommitted), and of which the fence and the two statuses take some.
 */
function fitsOne(writes: readonly ClientWrite[], placements: readonly Placement[]): boolean {
  const statuses = 2;
  const nodes = new Set(placements.map(({ nodeName }) => nodeName)).size;
  return writes.length + statuses <= batchSize && writes.length + statuses + nodes <= mostOperations;
}
