import {
  revisionHashLabel,
  controllerRevision as revisionKind,
  daemonSet as daemonSetKind,
  pod as podKind,
} from '@navarch/kinds';
import { labelSelectorPredicate, type Live } from '@navarch/machinery';
import type { ControllerRevision, DaemonSet, Node, Pod } from '@navarch/proto';
import { claim, claimWrites } from '../ownership.ts';
import { type Plan, sooner } from '../plan.ts';
import { forgotten, hashOf, type History, historyOf } from '../revisions/history.ts';
import type { Failures } from './failures.ts';
import { manage } from './manage.ts';
import { replaceOld } from './rolling.ts';
import { statusOf } from './status.ts';
import { endedEvent, stepWrites } from './steps.ts';
import { limitsOf } from './strategy.ts';
import { type View, viewOf } from './view.ts';

export interface DaemonSetObserved {
  readonly set: Live<DaemonSet>;
  readonly nodes: readonly Live<Node>[];
  /** The Pods that it manages, and those of its namespace that nobody does. */
  readonly pods: readonly Live<Pod>[];
  /** The same of revisions. */
  readonly revisions: readonly Live<ControllerRevision>[];
  /** Whether a Pod, or a revision, of this name is in its namespace. */
  readonly takenPods: { has(name: string): boolean };
  readonly takenRevisions: { has(name: string): boolean };
  readonly failures: Failures;
}

export interface DaemonSetPlan extends Plan {
  /** The nodes whose Pod had ended and is removed by this. */
  readonly failedOn: readonly string[];
}

/** At most so many Pods are made, and so many removed, in one step; the next step follows at once. */
const mostPerStep = 250;

/**
 * The next step towards one Pod of today's template on each node that should have one: what belongs to it, its history, its
 * Pods; once there is nothing to do for these, its status. `refused`: the Pods were tried just now and could not be made or
 * removed, so only the status is brought up to date.
 */
export function reconcileDaemonSet(observed: DaemonSetObserved, now: number, refused = false): DaemonSetPlan {
  const { set, nodes } = observed;
  const by = { kind: daemonSetKind, owner: set };
  const selects = labelSelectorPredicate(set.spec.selector);
  const pods = claim(set, observed.pods, selects);
  const revisions = claim(set, observed.revisions, selects);
  const claims = [...claimWrites(podKind, by, pods), ...claimWrites(revisionKind, by, revisions)];
  const collisions = set.status.collisionCount ?? 0;
  const history = historyOf(daemonSetKind, set, revisions.owned, { taken: observed.takenRevisions, collisions });
  const view = viewOf(set, { nodes, pods: pods.owned, hash: hashOf(history.update) }, now);
  if (set.metadata.deletionTimestamp !== '') return settled(view, history, refused);
  // What is adopted counts only once it is: its update may be refused.
  if (claims.length > 0) return plan({ writes: claims, events: [] });
  if (history.write !== undefined) return plan({ writes: [history.write], events: [] });
  return refused ? settled(view, history, refused) : nextStep(observed, view, history);
}

function nextStep(observed: DaemonSetObserved, view: View, history: History): DaemonSetPlan {
  const limits = limitsOf(view);
  const kept = manage(view, (limits?.maxSurge ?? 0) > 0, observed.failures);
  const rolled = limits === undefined ? { make: [], remove: [] } : replaceOld(view, limits);
  const steps = { make: [...kept.make, ...rolled.make], remove: [...kept.remove, ...rolled.remove] };
  const { writes, events } = stepWrites(view, steps, observed.takenPods, mostPerStep);
  if (writes.length === 0) return settled(view, history, false, kept.againAfterMs);
  const told = [...events, ...kept.ended.map((pod) => endedEvent(view, pod))];
  const failedOn = kept.ended.map(({ spec }) => spec.nodeName);
  const again = kept.againAfterMs;
  return { writes, events: told, failedOn, ...(again !== undefined && { againAfterMs: again }) };
}

/** Nothing is to be done for the Pods: what the status says, and what of the history is needed no more. */
function settled(view: View, history: History, refused: boolean, againAfterMs?: number): DaemonSetPlan {
  const { writes, againAfterMs: availableInMs } = statusOf(view, history.collisions);
  const hashes = new Set(
    view.nodes.flatMap(({ pods }) => pods.map(({ metadata }) => metadata.labels[revisionHashLabel])),
  );
  const inUse = history.all.filter((revision) => hashes.has(hashOf(revision)));
  const names = new Set([history.update, ...inUse].map(({ metadata }) => metadata.name));
  const old = refused || view.set.metadata.deletionTimestamp !== '' ? [] : forgotten(view.set, history.all, names);
  const again = sooner(againAfterMs, availableInMs);
  return plan({ writes: [...writes, ...old], events: [], ...(again !== undefined && { againAfterMs: again }) });
}

function plan(plan: Plan): DaemonSetPlan {
  return { ...plan, failedOn: [] };
}
