import type { Client, InformerSet } from '@navarch/client';
import type { EventRecorder, Term } from '@navarch/controller';
import { pod as podKind, type RecordedMove } from '@navarch/kinds';
import { Backoff, type Clock, type Logger } from '@navarch/kit';
import { isApiError, keyOf, type Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { caughtUp, mayBeDone } from '../hands.ts';
import { inSlices } from '../planning/in-slices.ts';
import type { Picture } from '../why/picture.ts';
import { MoveBook } from './move-book.ts';
import { inState, withOutcomes, withPlanned } from './moves.ts';
import type { RebalancingPolicy } from './policy.ts';
import { type Move, rebalance } from './rebalance.ts';
import type { Steering } from './steering.ts';
import { kept, undoStep } from './undo.ts';

/** How often it is looked whether a move is to be undone. */
const lookMs = 2_000;

export interface RebalancerOptions {
  readonly client: Pick<Client, 'evict' | 'get' | 'transact' | 'version'>;
  readonly informers: InformerSet;
  readonly recorder: EventRecorder;
  /** Undefined: nothing is moved; what was moved before can still be undone. */
  readonly policy: RebalancingPolicy | undefined;
  readonly picture: () => Picture;
  readonly steering: Steering;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What came of asking a Pod to leave. */
type Eviction = { readonly type: 'left' | 'unknown' } | { readonly type: 'refused'; readonly why: string };

/**
 * Moves Pods to where they would be placed now, some in each round, by evicting them, and brings them back when that is asked for:
 * disruption budgets have the last word. Who leads does it. Each move is recorded before it is made.
 */
export class Rebalancer {
  readonly #options: RebalancerOptions;
  readonly #book: MoveBook;

  constructor(options: RebalancerOptions) {
    this.#options = options;
    this.#book = new MoveBook(options);
  }

  /** Works until the term is over. */
  async lead(term: Term): Promise<void> {
    const { clock, informers, logger, policy } = this.#options;
    const { signal } = term;
    const backoff = new Backoff({ baseMs: lookMs, maxMs: 30_000 });
    try {
      // Only then do the caches show what earlier leaders did.
      await informers.reached(term.revision, signal);
      let lastRoundMs = clock.monotonicMs();
      for (let waitMs = lookMs; !signal.aborted; ) {
        await clock.sleep(waitMs, signal);
        try {
          await this.#settle(term);
          await this.#undo(term);
          if (policy !== undefined && clock.monotonicMs() - lastRoundMs >= policy.intervalMs) {
            lastRoundMs = clock.monotonicMs();
            await this.#round(policy, term);
          }
          backoff.reset();
          waitMs = lookMs;
        } catch (error) {
          if (isApiError(error, 'Fenced')) term.lose(error.message);
          if (signal.aborted || !isApiError(error)) throw error;
          waitMs = backoff.next();
          logger.warn({ err: error, delayMs: waitMs }, 'pods could not be moved; trying again');
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Finds out about moves that a leader had begun when it was gone, or heard nothing of. */
  async #settle(term: Term): Promise<void> {
    const { clock } = this.#options;
    if (!this.#book.moves.some(({ state }) => state === 'moving')) return;
    await caughtUp(this.#options, term.signal);
    await this.#book.change((moves) => withOutcomes(moves, this.#pods(), clock.now()), term);
  }

  async #round(policy: RebalancingPolicy, term: Term): Promise<void> {
    const { clock, picture } = this.#options;
    const steps = rebalance(this.#pods(), picture(), policy, clock.now(), this.#book.moves);
    const planned = await inSlices(steps, term.signal);
    if (planned.length === 0) return;
    await this.#book.change((moves) => withPlanned(moves, planned, clock.now()), term);
    const outcomes = new Map<string, Eviction['type']>();
    for (const move of planned) outcomes.set(move.pod.metadata.uid, (await this.#move(move, term)).type);
    await this.#book.change(
      (moves) =>
        moves.flatMap((move) => {
          const outcome = move.state === 'moving' ? outcomes.get(move.uid) : undefined;
          if (outcome === 'refused') return [];
          return outcome === 'left' ? [inState(move, 'moved', clock.now())] : [move];
        }),
      term,
    );
  }

  async #move({ pod, from, to, goal, reason }: Move, term: Term): Promise<Eviction> {
    const { logger, recorder } = this.#options;
    const told = { pod: keyOf(pod), from, to, goal, reason };
    const eviction = await this.#evict(pod, term);
    if (eviction.type === 'left') {
      logger.info(told, 'pod moved');
      recorder.event(podKind, pod, 'Normal', 'Rebalanced', `Moves from ${from} to ${to} (${goal}): ${reason}`);
    }
    // A budget keeps it, or it has gone: the next round looks again.
    else logger.info({ ...told, ...eviction }, 'pod not moved');
    return eviction;
  }

  /** Takes the next step, if a move is to be undone. */
  async #undo(term: Term): Promise<void> {
    const { clock, logger, picture, steering } = this.#options;
    const { moves } = this.#book;
    const missed = moves.find((move) => move.state === 'undoing' && steering.missed(move));
    const step =
      missed === undefined
        ? undoStep(moves, this.#pods(), picture, clock.now())
        : kept(missed, `it did not fit on ${missed.from} any more when it came`, clock.now());
    if (step.type === 'nothing') return;
    if (step.type === 'evict') return await this.#bringBack(step.move, step.pod, term);
    const { move } = step;
    await this.#book.put(move, moves.find(({ id }) => id === move.id)?.state ?? 'asked', term);
    const { id, pod, owner, from, to, state, why } = move;
    logger.info({ move: id, pod, owner, from, to, state, why }, 'undoing a move');
    // What was recorded is acted on at once.
    if (state === 'undoing') await this.#undo(term);
  }

  async #bringBack(move: RecordedMove, pod: Live<Pod>, term: Term): Promise<void> {
    const { clock, recorder } = this.#options;
    const eviction = await this.#evict(pod, term);
    if (eviction.type === 'left') {
      const message = `Moves back from ${pod.spec.nodeName} to ${move.from}: somebody asked to undo move ${move.id}`;
      recorder.event(podKind, pod, 'Normal', 'RebalanceUndone', message);
    } else if (eviction.type === 'refused') {
      await this.#book.put(kept(move, `it may not leave now: ${eviction.why}`, clock.now()).move, 'undoing', term);
    }
  }

  async #evict({ metadata: { namespace, name, uid } }: Live<Pod>, term: Term): Promise<Eviction> {
    try {
      await this.#options.client.evict({ namespace, name, uid }, { fence: term.fence(), signal: term.signal });
      return { type: 'left' };
    } catch (error) {
      if (isApiError(error, 'Fenced')) term.lose(error.message);
      if (term.signal.aborted) throw error;
      if (mayBeDone(error)) return { type: 'unknown' };
      return { type: 'refused', why: error instanceof Error ? error.message : String(error) };
    }
  }

  #pods(): ReadonlyMap<string, Live<Pod>> {
    const pods = this.#options.informers.lister(podKind).list();
    return new Map(pods.map((pod) => [keyOf(pod), pod]));
  }
}
