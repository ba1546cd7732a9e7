import { bindWrite, type ClientWrite, type WriteOutcome } from '@navarch/client';
import type { Term } from '@navarch/controller';
import { pod as podKind } from '@navarch/kinds';
import { ApiError, isApiError } from '@navarch/machinery';
import { caughtUp, guiltyOf, type Hands, mayBeDone, writeOptions } from './hands.ts';
import type { Announcer } from './announcer.ts';
import type { QueuedPod } from './queue.ts';
import type { Decision } from './schedule.ts';
import { settlingWrites } from './settling-writes.ts';

/** A Pod whose node was chosen, and counts as taken. */
export type Placement = QueuedPod & {
  readonly decision: Extract<Decision, { type: 'place' }>;
  /** The revision that was decided on (see `Binding.decided_at`). */
  readonly decidedAt: bigint;
  /** Chosen by the leader, who knows of all rules between Pods and of every Pod that they concern. */
  readonly byLeader: boolean;
};

/** Brings placements to the api. Whatever happens, each of them is bound or back in the queue, and its room given back, at the end. */
export class Binder {
  readonly #hands: Hands;
  readonly #announcer: Announcer;

  constructor(hands: Hands, announcer: Announcer) {
    this.#hands = hands;
    this.#announcer = announcer;
  }

  /** Pods whose claims are new are bound one by one, together with them; all others in one call. */
  async bind(placements: readonly Placement[], term: Term): Promise<void> {
    const { client, state } = this.#hands;
    const settles = (placement: Placement) => state.unsettledClaims(placement.info).length > 0;
    const ready = placements.filter((placement) => !settles(placement));
    const writes = ready.map(bindingOf);
    const bound = this.#transact(ready, () => client.transact(writes, writeOptions(term)), term);
    for (const placement of placements.filter(settles)) {
      await this.#transact([placement], async () => [await this.#bindWithClaims(placement, term)], term);
    }
    await bound;
  }

  /** The Pod's claims get their node and the Pod is bound, or neither: no Pod is ever on a node that its data is not on. */
  async #bindWithClaims(placement: Placement, term: Term): Promise<WriteOutcome> {
    const { client, state } = this.#hands;
    const { nodeName } = placement.decision;
    const claims = state.unsettledClaims(placement.info);
    const writes = await settlingWrites(client, claims, nodeName, term.signal);
    const all = [...writes, bindingOf(placement)];
    const outcomes = await client.transact(all, { ...writeOptions(term), atomic: true });
    const last = guiltyOf(outcomes) ?? outcomes[all.length - 1];
    if (last === undefined) throw new ApiError('InternalError', 'the api said nothing about a binding');
    return last;
  }

  async #transact(
    placements: readonly Placement[],
    call: () => Promise<readonly WriteOutcome[]>,
    term: Term,
  ): Promise<void> {
    const { clock, metrics } = this.#hands;
    if (placements.length === 0) return;
    const startMs = clock.monotonicMs();
    let outcomes: readonly WriteOutcome[];
    try {
      outcomes = await call();
    } catch (error) {
      await this.#callFailed(placements, error, term);
      return;
    }
    const nowMs = clock.monotonicMs();
    metrics.bindingTook(nowMs - startMs);
    const lost: Placement[] = [];
    for (const [index, placement] of placements.entries()) {
      const outcome = outcomes[index];
      if (outcome?.ok) this.#bound(placement, nowMs);
      else {
        if (outcome?.error.reason === 'Fenced') term.lose(outcome.error.message);
        this.#giveBack(placement, outcome?.error.message ?? 'the api said nothing about it');
        if (outcome?.error.reason === 'Conflict') lost.push(placement);
        else this.#hands.queue.failed(placement.info);
      }
    }
    await this.#beaten(lost, term);
  }

  /** Others were faster: who lost is tried again at once, on a state that shows what they did. */
  async #beaten(lost: readonly Placement[], { signal }: Term): Promise<void> {
    if (lost.length === 0) return;
    try {
      await caughtUp(this.#hands, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      for (const { info } of lost) this.#hands.queue.beaten(info);
    }
  }

  #bound({ info, decision, sinceMs }: Placement, nowMs: number): void {
    const { recorder, logger, metrics, queue } = this.#hands;
    metrics.attempted('scheduled');
    metrics.bound(nowMs - sinceMs);
    queue.remove(info.key);
    logger.debug({ pod: info.key, node: decision.nodeName, score: decision.score }, 'pod bound');
    const message = `Successfully assigned ${info.key} to ${decision.nodeName}`;
    recorder.event(podKind, info.pod, 'Normal', 'Scheduled', message);
  }

  /** The Pod has gone or changed, the node has gone or filled, or the binding is known not to have been done. */
  #giveBack({ info, decision }: Placement, why: string): void {
    const { logger, metrics, queue, state } = this.#hands;
    metrics.attempted('error');
    logger.info({ pod: info.key, node: decision.nodeName, why }, 'pod not bound; trying again');
    for (const event of state.forget(info)) queue.happened(event);
  }

  /**
   * Resolves once the caches show what came of the call, as far as can be known. A plain Pod's binding that is carried out still later
   * breaks nothing: the api asks for room then. One that rules between Pods concern might be, after others were placed in its stead: what
   * the leader chose before is refused from now on.
   */
  async #settled(placements: readonly Placement[], term: Term): Promise<void> {
    if (placements.some(({ byLeader }) => byLeader)) await this.#announcer.refuseOlder(term);
    else await caughtUp(this.#hands, term.signal);
  }

  async #callFailed(placements: readonly Placement[], error: unknown, term: Term): Promise<void> {
    const { clock, informers, logger, queue } = this.#hands;
    if (isApiError(error, 'Fenced')) term.lose(error.message);
    if (mayBeDone(error) && !term.signal.aborted) {
      logger.warn({ err: error, pods: placements.length }, 'binding failed; looking what came of it');
      try {
        await this.#settled(placements, term);
      } catch (error) {
        if (!term.signal.aborted) throw error;
      }
    }
    const why = error instanceof Error ? error.message : String(error);
    for (const placement of placements) {
      const now = informers.lister(podKind).get(placement.info.key);
      const done = now?.metadata.uid === placement.info.uid && now.spec.nodeName === placement.decision.nodeName;
      if (done) this.#bound(placement, clock.monotonicMs());
      else {
        this.#giveBack(placement, why);
        queue.failed(placement.info);
      }
    }
  }
}

function bindingOf({ info, decision, decidedAt }: Placement): ClientWrite {
  const { namespace, name } = info.pod.metadata;
  return bindWrite({ namespace, name, uid: info.uid, nodeName: decision.nodeName, decidedAt });
}
