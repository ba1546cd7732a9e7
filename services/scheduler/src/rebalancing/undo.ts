import { controllerOf } from '@navarch/kinds';
import type { RecordedMove } from '@navarch/kinds';
import { keyOf, type Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { isPlaced, isWaiting } from '../planning/owners.ts';
import { toPodInfo } from '../pod-info.ts';
import { obstacleMessage } from '../why/obstacle-text.ts';
import { obstaclesOf } from '../why/obstacles.ts';
import type { Picture } from '../why/picture.ts';
import { inState } from './moves.ts';

/** For so long a Pod that comes is steered to the old node, and room is kept for it there. */
export const undoMs = 300_000;

/** What is to be done next for moves that are to be undone. */
export type UndoStep =
  | { readonly type: 'nothing' }
  /** The move stands as `move` says; before that nothing is done. */
  | { readonly type: 'record'; readonly move: RecordedMove }
  /** The Pod is asked to leave, so that the one in its place can be steered. */
  | { readonly type: 'evict'; readonly move: RecordedMove; readonly pod: Live<Pod> };

const nothing: UndoStep = { type: 'nothing' };

/**
 * The next step, one move after another in the order of their numbers. A move is undone in three steps: it is recorded which Pod is
 * to leave (with that every scheduler keeps room on the old node, and leaves Pods of that owner to the leader); that Pod is evicted;
 * and it is recorded that another is on the old node. What can't be done is recorded with its reason, and nothing else happens.
 * `now` is milliseconds since the epoch; the picture's snapshot is used up.
 */
export function undoStep(
  moves: readonly RecordedMove[],
  pods: ReadonlyMap<string, Live<Pod>>,
  picture: () => Picture,
  now: number,
): UndoStep {
  const begun = moves.find(({ state }) => state === 'undoing');
  if (begun !== undefined) return goOn(begun, pods, now);
  const asked = moves.find(({ state }) => state === 'asked');
  return asked === undefined ? nothing : begin(asked, pods, picture, now);
}

function goOn(move: RecordedMove, pods: ReadonlyMap<string, Live<Pod>>, now: number): UndoStep {
  const { from, since, undoing } = move;
  const own = ofOwner(move, pods);
  const isBack = own.some(
    (pod) => isPlaced(pod) && pod.spec.nodeName === from && undoing?.there.includes(pod.metadata.uid) === false,
  );
  if (isBack) return { type: 'record', move: inState(move, 'undone', now) };
  if (now - Date.parse(since) >= undoMs || undoing === undefined) {
    return kept(move, `no Pod of ${move.owner} came to ${from} within ${undoMs / 60_000} minutes`, now);
  }
  const leaving = own.find(({ metadata }) => metadata.uid === undoing.uid && metadata.deletionTimestamp === '');
  return leaving === undefined ? nothing : { type: 'evict', move, pod: leaving };
}

function begin(
  move: RecordedMove,
  pods: ReadonlyMap<string, Live<Pod>>,
  picture: () => Picture,
  now: number,
): UndoStep {
  const own = ofOwner(move, pods);
  const pod = inItsPlace(move, own);
  if (own.some(isWaiting))
    return kept(move, `a Pod of ${move.owner} waits for a node: its room is looked for first`, now);
  if (pod === undefined) return kept(move, `the Pod that came in its place is gone`, now);
  const why = obstacle(move, pod, picture());
  if (why !== undefined) return kept(move, why, now);
  const { name, uid } = pod.metadata;
  const there = own.filter(({ spec }) => spec.nodeName === move.from).map(({ metadata }) => metadata.uid);
  return { type: 'record', move: inState(move, 'undoing', now, { undoing: { pod: name, uid, there } }) };
}

export function kept(move: RecordedMove, why: string, now: number): Extract<UndoStep, { type: 'record' }> {
  return { type: 'record', move: inState(move, 'kept', now, { why }) };
}

/** Why the Pod can't leave, or can't be on the old node. */
function obstacle({ from }: RecordedMove, pod: Live<Pod>, picture: Picture): string | undefined {
  const { snapshot, budgets, withClaims } = picture;
  const info = withClaims(toPodInfo({ ...pod, spec: { ...pod.spec, nodeName: '' } }));
  const budget = budgets.find(({ allowed, chooses }) => allowed <= 0 && chooses(info.podClass));
  if (budget !== undefined) return `the budget ${budget.key} lets none of its Pods go now`;
  const place = snapshot.find(from);
  if (place < 0) return `there is no node ${from} any more`;
  snapshot.take(keyOf(pod));
  const [first] = obstaclesOf(info, snapshot)(place);
  return first && `it does not fit on ${from}: ${obstacleMessage(first).text}`;
}

/** The Pod that its owner made instead: of that name, or else where it was to be, or else the youngest that came since. */
function inItsPlace({ pod, from, to, at }: RecordedMove, own: readonly Live<Pod>[]): Live<Pod> | undefined {
  const elsewhere = own.filter((each) => isPlaced(each) && each.spec.nodeName !== from && !isGoing(each));
  const since = elsewhere.filter(({ metadata }) => Date.parse(metadata.creationTimestamp) >= Date.parse(at) - 1_000);
  const youngest = since.toSorted((one, other) =>
    one.metadata.creationTimestamp < other.metadata.creationTimestamp ? 1 : -1,
  );
  return (
    elsewhere.find(({ metadata }) => metadata.name === pod) ??
    youngest.find(({ spec }) => spec.nodeName === to) ??
    elsewhere.find(({ spec }) => spec.nodeName === to) ??
    youngest[0]
  );
}

function ofOwner({ namespace, ownerUid }: RecordedMove, pods: ReadonlyMap<string, Live<Pod>>): readonly Live<Pod>[] {
  return [...pods.values()].filter(
    (pod) => pod.metadata.namespace === namespace && controllerOf(pod)?.uid === ownerUid,
  );
}

function isGoing({ metadata }: Live<Pod>): boolean {
  return metadata.deletionTimestamp !== '';
}
