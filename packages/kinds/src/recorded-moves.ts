import type { Live } from '@navarch/machinery';
import { Lease } from '@navarch/proto';

/** Where the scheduler keeps what it moved: a Lease, since all schedulers see those in the order of the store's revisions. */
export const movesLease = { namespace: 'navarch-system', name: 'scheduler-moves' } as const;
const annotation = 'scheduling.navarch.io/moves';

/**
 * How it stands with a move.
 * - `moving`: about to be done, or nobody knows yet whether it was.
 * - `moved`: the Pod was evicted.
 * - `asked`: somebody wants it undone.
 * - `undoing`: the Pod in its place is being brought back.
 * - `undone`: a Pod of its owner is on the old node again.
 * - `kept`: it was to be undone and could not be; `why` says so. It may be asked for again.
 */
export const moveStates = ['moving', 'moved', 'asked', 'undoing', 'undone', 'kept'] as const;
export type MoveState = (typeof moveStates)[number];

/** One Pod that the scheduler moved off its node, and what became of it. Times are RFC 3339 text. */
export interface RecordedMove {
  /** A number that no other move has: what people call it by. */
  readonly id: number;
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  /** As people call it: `deployment/web`. */
  readonly owner: string;
  /** Of the object that made the Pod, and makes another in its place. */
  readonly ownerUid: string;
  readonly from: string;
  /** Where the scheduler expected the Pod in its place. */
  readonly to: string;
  readonly goal: string;
  /** What was to be gained. */
  readonly reason: string;
  readonly at: string;
  readonly state: MoveState;
  /** Why it is `kept`. */
  readonly why?: string;
  /** When `state` became what it is. */
  readonly since: string;
  /** While `undoing`: the Pod that is to leave, and the owner's Pods that were on the old node before (uids). */
  readonly undoing?: { readonly pod: string; readonly uid: string; readonly there: readonly string[] };
}

/** The moves of the Lease, oldest first. What is no move, because a person wrote it, is left out. */
export function movesOf(lease: Live<Lease> | undefined): readonly RecordedMove[] {
  const text = lease?.metadata.annotations[annotation];
  if (text === undefined) return [];
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter(isMove) : [];
  } catch {
    return [];
  }
}

/** The Lease with other moves. It has the version of `lease`, so that nobody else's change is lost. */
export function withMoves(lease: Live<Lease> | undefined, moves: readonly RecordedMove[]): Lease {
  const annotations = { ...lease?.metadata.annotations, [annotation]: JSON.stringify(moves) };
  return Lease.fromPartial({ ...lease, metadata: { ...(lease?.metadata ?? movesLease), annotations } });
}

const texts = ['namespace', 'pod', 'uid', 'owner', 'ownerUid', 'from', 'to', 'goal', 'reason', 'at', 'since'];

function isMove(value: unknown): value is RecordedMove {
  if (!isRecord(value)) return false;
  const { id, state, undoing } = value;
  return (
    Number.isSafeInteger(id) &&
    moveStates.some((each) => each === state) &&
    texts.every((field) => typeof value[field] === 'string') &&
    (undoing === undefined || (isRecord(undoing) && Array.isArray(undoing['there'])))
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
