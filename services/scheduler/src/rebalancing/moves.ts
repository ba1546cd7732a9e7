import { controllerOf } from '@navarch/kinds';
import type { RecordedMove } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { ownerOf } from '../planning/owners.ts';
import type { Move } from './rebalance.ts';

/** How many moves are remembered, in how many bytes at most: an object's annotations may have 256 KiB. */
const mostMoves = 200;
const mostBytes = 200 * 1024;
const mostTextLength = 200;

/** For so long a move that was undone is not made again, whichever Pod of its owner it would be. */
export const barredMs = 24 * 3_600_000;

/** Whether there is still something to be done, or to find out, about the move. */
export function isUnderWay({ state }: RecordedMove): boolean {
  return state === 'moving' || state === 'asked' || state === 'undoing';
}

/** Whether somebody did not want what the move would do. `now` is milliseconds since the epoch. */
export function isBarred(moves: readonly RecordedMove[], { pod, from, to }: Move, now: number): boolean {
  const owner = ownerOf(pod);
  const { namespace } = pod.metadata;
  return moves.some(
    (move) =>
      move.namespace === namespace && move.owner === owner && move.from === from && move.to === to && bars(move, now),
  );
}

function bars({ state, since }: RecordedMove, now: number): boolean {
  return state === 'undone' && now - Date.parse(since) < barredMs;
}

/** The record with moves that are about to be done. The oldest are forgotten where it grows too long, those last that bar others. */
export function withPlanned(
  moves: readonly RecordedMove[],
  planned: readonly Move[],
  now: number,
): readonly RecordedMove[] {
  const last = Math.max(0, ...moves.map(({ id }) => id));
  const at = new Date(now).toISOString();
  const added = planned.map(({ pod, from, to, goal, reason }, index): RecordedMove => {
    const { namespace, name, uid } = pod.metadata;
    const owner = { owner: ownerOf(pod), ownerUid: controllerOf(pod)?.uid ?? '' };
    const about = { namespace, pod: name, uid, ...owner, from, to, goal, reason: shortened(reason) };
    return { id: last + 1 + index, ...about, at, state: 'moving', since: at };
  });
  return bounded([...moves, ...added], now);
}

function bounded(moves: readonly RecordedMove[], now: number): readonly RecordedMove[] {
  const kept = [...moves];
  const isTooLong = () => kept.length > mostMoves || Buffer.byteLength(JSON.stringify(kept)) > mostBytes;
  while (isTooLong()) {
    const over = kept.findIndex((move) => !isUnderWay(move) && !bars(move, now));
    const oldest = over < 0 ? kept.findIndex((move) => !isUnderWay(move)) : over;
    if (oldest < 0) break;
    kept.splice(oldest, 1);
  }
  return kept;
}

/** What became of moves that were about to be done, once the Pods show it: who is still there and stays was not moved. */
export function withOutcomes(
  moves: readonly RecordedMove[],
  pods: ReadonlyMap<string, Live<Pod>>,
  now: number,
): readonly RecordedMove[] {
  if (!moves.some(({ state }) => state === 'moving')) return moves;
  return moves.flatMap((move) => {
    if (move.state !== 'moving') return [move];
    const pod = pods.get(`${move.namespace}/${move.pod}`);
    const stays = pod?.metadata.uid === move.uid && pod.metadata.deletionTimestamp === '';
    return stays ? [] : [inState(move, 'moved', now)];
  });
}

export function inState(
  { why: _why, undoing: _undoing, ...move }: RecordedMove,
  state: RecordedMove['state'],
  now: number,
  more: Pick<RecordedMove, 'why' | 'undoing'> = {},
): RecordedMove {
  const why = more.why === undefined ? {} : { why: shortened(more.why) };
  return { ...move, ...more, ...why, state, since: new Date(now).toISOString() };
}

function shortened(text: string): string {
  return text.length <= mostTextLength ? text : `${text.slice(0, mostTextLength - 1)}…`;
}
