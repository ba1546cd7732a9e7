import { setTimeout as delay } from 'node:timers/promises';
import { type AtomicWrite, deleteWrite, evictWrite, type WriteOutcome } from '@navarch/client';
import { pod as podKind } from '@navarch/kinds';
import { Backoff } from '@navarch/kit';
import { fromErrorDetail, type Live } from '@navarch/machinery';
import type { ErrorDetail, Pod } from '@navarch/proto';
import { errorText } from '../errors.ts';
import { type Session, UserError } from '../session.ts';
import type { Victim } from '../wait-gone.ts';

export interface EvictOptions {
  readonly gracePeriodSeconds: number | undefined;
  /** Delete, without asking disruption budgets. */
  readonly disableEviction: boolean;
  readonly dryRun: boolean;
  /** When to give up, by `io.now()`. */
  readonly until: number | undefined;
}

export interface Evicted {
  readonly going: readonly (Victim & { readonly uid: string })[];
  readonly failures: number;
}

/** So many writes the api takes in one call. */
const mostAtOnce = 100;
const laterMs = { baseMs: 1_000, maxMs: 15_000 };

/**
 * Asks the Pods to go. What a disruption budget refuses is asked again, later and later, until it is granted; which budgets
 * are waited for is told whenever that changes. Throws UserError when the time is up.
 */
export async function evictPods(session: Session, pods: readonly Live<Pod>[], options: EvictOptions): Promise<Evicted> {
  const { signal } = session.io;
  const backoff = new Backoff(laterMs);
  const going: (Victim & { readonly uid: string })[] = [];
  let failures = 0;
  let told = '';
  for (let left = pods; ; ) {
    const refused: { readonly pod: Live<Pod>; readonly error: ErrorDetail }[] = [];
    for (const { pod, outcome } of await askAll(session, left, options)) {
      const { namespace, name, uid } = pod.metadata;
      if (outcome.ok) {
        const verb = options.disableEviction ? 'deleting' : 'evicting';
        session.print(`${verb} pod ${namespace}/${name}${options.dryRun ? ' (server dry run)' : ''}\n`);
        going.push({ kind: podKind, namespace, name, uid });
      } else if (outcome.error.reason === 'TooManyRequests' && !options.dryRun) {
        refused.push({ pod, error: outcome.error });
      } else if (outcome.error.reason !== 'NotFound') {
        failures++;
        session.warn(`${errorText(fromErrorDetail(outcome.error), session.server)}\n`);
      }
    }
    if (refused.length === 0) return { going, failures };
    if (refused.length < left.length) backoff.reset();
    const reasons = waitingFor(refused.map(({ error }) => error));
    if (reasons !== told) session.warn(`waiting to evict: ${reasons}\n`);
    told = reasons;
    const waitMs = Math.max(backoff.next(), ...refused.map(({ error }) => 1000 * (error.retryAfterSeconds ?? 0)));
    if (options.until !== undefined && session.io.now() + waitMs > options.until) {
      throw new UserError(`the time is up, and ${refused.length} Pods were not evicted: ${reasons}`);
    }
    left = refused.map(({ pod }) => pod);
    await delay(waitMs, undefined, { signal });
  }
}

async function askAll(
  session: Session,
  pods: readonly Live<Pod>[],
  { gracePeriodSeconds, disableEviction, dryRun }: EvictOptions,
) {
  const grace = gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds };
  const asked: { readonly pod: Live<Pod>; readonly outcome: WriteOutcome }[] = [];
  for (let at = 0; at < pods.length; at += mostAtOnce) {
    const batch = pods.slice(at, at + mostAtOnce);
    const writes = batch.map(({ metadata: { namespace, name, uid } }): AtomicWrite => {
      if (disableEviction) return deleteWrite(podKind, { namespace, name }, { uid, ...grace });
      return evictWrite({ namespace, name, uid, ...grace });
    });
    const outcomes = await session.client().transact(writes, { dryRun });
    for (const [index, pod] of batch.entries()) {
      const outcome = outcomes[index];
      if (outcome !== undefined) asked.push({ pod, outcome });
    }
  }
  return asked;
}

/** Each budget once, with how many Pods wait for it. */
function waitingFor(errors: readonly ErrorDetail[]): string {
  const byReason = Map.groupBy(errors, ({ message }) => message.slice(message.indexOf('the disruption budget')));
  return [...byReason]
    .map(([reason, { length }]) => `${reason} (${length} ${length === 1 ? 'Pod waits' : 'Pods wait'})`)
    .join('; ');
}
