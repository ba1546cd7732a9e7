import type { Client, ClientWrite, WriteOptions, WriteOutcome } from '@navarch/client';
import type { EventRecorder, ReconcileContext, ReconcileResult } from '@navarch/controller';
import type { KindDefinition } from '@navarch/kinds';
import { ApiError, isApiError, isReason, type KubeObject } from '@navarch/machinery';
import type { ErrorDetail } from '@navarch/proto';
import type { Plan } from './plan.ts';

/** What controllers do things with. */
export interface Hands {
  readonly client: Pick<Client, 'get' | 'list'> & {
    transact(
      writes: readonly ClientWrite[],
      options?: { readonly atomic?: boolean } & WriteOptions,
    ): Promise<readonly WriteOutcome[]>;
  };
  readonly events: EventRecorder;
}

export interface Outcome {
  /** The highest revision written; 0n when nothing was. */
  readonly wroteRevision: bigint;
  readonly failures: readonly { readonly write: ClientWrite; readonly error: ErrorDetail }[];
}

/** The api's limit for one call. */
const mostWrites = 100;

/**
 * Does what a plan says, many writes a call, and returns what was refused. Where many objects are to be made, the first
 * calls are small and grow while they succeed, so that what is refused once isn't asked a hundred times.
 */
export async function attempt(
  hands: Hands,
  { writes, events, atomic = false, fieldManager }: Plan,
  context: ReconcileContext,
): Promise<Outcome> {
  let wroteRevision = 0n;
  const failures: Outcome['failures'][number][] = [];
  const done = new Set<ClientWrite>();
  const creates = writes.some(({ type }) => type === 'create');
  let size = creates && !atomic ? 8 : mostWrites;
  for (let at = 0; at < writes.length; ) {
    const batch = writes.slice(at, at + size);
    const { fence, signal } = context;
    let outcomes: readonly WriteOutcome[];
    try {
      outcomes = await hands.client.transact(batch, {
        fence,
        signal,
        ...(atomic && { atomic }),
        ...(fieldManager !== undefined && { fieldManager }),
      });
    } catch (error) {
      // Large objects: nothing of the call was done, so fewer at once are tried.
      if (atomic || batch.length === 1 || !isApiError(error, 'RequestEntityTooLarge')) throw error;
      size = Math.ceil(batch.length / 2);
      continue;
    }
    let refused = 0;
    for (const [index, write] of batch.entries()) {
      const outcome = outcomes[index];
      if (outcome?.ok) {
        done.add(write);
        if (outcome.revision > wroteRevision) wroteRevision = outcome.revision;
      } else if (outcome?.blameless === true) {
        // Nothing was wrong with it but the company: another of the same transaction was refused.
        refused++;
      } else if (outcome !== undefined && !(write.type === 'delete' && outcome.error.reason === 'NotFound')) {
        refused++;
        failures.push({ write, error: outcome.error });
      }
    }
    if (refused === batch.length) break;
    at += batch.length;
    size = Math.min(size * 4, mostWrites);
  }
  for (const { after, kind, object, type, reason, message } of events) {
    if (after === undefined || done.has(after)) hands.events.event(kind, object, type, reason, message);
  }
  return { wroteRevision, failures };
}

/** Does what a plan says, or throws the first refusal; what was done stays done, and the next look goes on from there. */
export async function carryOut(hands: Hands, plan: Plan, context: ReconcileContext): Promise<ReconcileResult> {
  const { wroteRevision, failures } = await attempt(hands, plan, context);
  const [first] = failures;
  if (first !== undefined) throw refusal(first.error);
  return resultOf(plan, wroteRevision);
}

/** What the runner is told of a plan that was done. */
export function resultOf({ againAfterMs }: Plan, wroteRevision: bigint): ReconcileResult {
  return { ...(wroteRevision > 0n && { wroteRevision }), ...(againAfterMs !== undefined && { againAfterMs }) };
}

/** Why Pods could not be made or removed just now. */
export interface PodRefusal {
  readonly reason: 'FailedCreate' | 'FailedDelete';
  readonly message: string;
}

/**
 * Does a plan that makes and removes the Pods of `owner`. Where that is refused not just because the caches were behind,
 * people are told, and what `meanwhile` plans is done: a status that says so. Throws the refusal, to be tried again later.
 */
export async function carryOutPods(
  hands: Hands,
  plan: Plan,
  owner: {
    readonly kind: KindDefinition;
    readonly object: KubeObject;
    readonly meanwhile: (refused: PodRefusal) => Plan;
  },
  context: ReconcileContext,
): Promise<ReconcileResult> {
  const { wroteRevision, failures } = await attempt(hands, plan, context);
  const [first] = failures;
  if (first === undefined) return resultOf(plan, wroteRevision);
  const error = refusal(first.error);
  if (error.reason !== 'Conflict' && first.write.type !== 'updateStatus') {
    const reason = first.write.type === 'delete' ? 'FailedDelete' : 'FailedCreate';
    hands.events.event(owner.kind, owner.object, 'Warning', reason, error.message);
    await carryOut(hands, owner.meanwhile({ reason, message: error.message }), context);
  }
  throw error;
}

/** A refused write as an error. What only says that the caches were behind becomes a Conflict: the next try knows more. */
export function refusal({ reason, message }: ErrorDetail): ApiError {
  const stale = reason === 'AlreadyExists' || reason === 'NotFound' || reason === 'Conflict';
  if (stale) return new ApiError('Conflict', message);
  return new ApiError(isReason(reason) ? reason : 'InternalError', message);
}
