import { parseDuration } from '@navarch/machinery';
import type { Target } from './resource-args.ts';
import { type Session, UserError } from './session.ts';

/** A moment of the past as users name it. */
export type Moment =
  | { readonly revision: bigint }
  | { readonly agoMs: number }
  /** RFC 3339. */
  | { readonly time: string };

/** 1234 is a revision, 5m so long ago, and 2026-01-31T12:00:00Z a time. Undefined when it is none of them. */
export function parseMoment(text: string): Moment | undefined {
  if (/^\d{1,19}$/.test(text)) return text === '0' ? undefined : { revision: BigInt(text) };
  const agoMs = parseDuration(text);
  if (agoMs !== undefined) return agoMs < 0 ? undefined : { agoMs };
  return /^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text)) ? { time: text } : undefined;
}

/** The revision of a moment. Says which it is when the user named a time. Throws UserError when it is no moment. */
export async function resolveMoment(session: Session, text: string, targets: readonly Target[]): Promise<bigint> {
  const events = targets.find(({ kind }) => kind.storage === 'events');
  if (events !== undefined) throw new UserError(`${events.kind.plural} have no past: only their newest state is kept`);
  const moment = parseMoment(text);
  if (moment === undefined) {
    throw new UserError(
      `"${text}" is no moment: say how long ago (30s, 5m), a time (2026-01-31T12:00:00Z) or a revision`,
    );
  }
  if ('revision' in moment) return moment.revision;
  const { revision, time } = await session.client().findRevision(moment);
  session.warn(`# revision ${revision}, ${time}\n`);
  return revision;
}
