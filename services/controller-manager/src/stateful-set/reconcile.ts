import type { ClientWrite } from '@navarch/client';
import {
  controllerOf,
  controllerRevision as revisionKind,
  pod as podKind,
  statefulSet as statefulSetKind,
} from '@navarch/kinds';
import { labelSelectorPredicate, type Live } from '@navarch/machinery';
import type { ControllerRevision, Pod, StatefulSet } from '@navarch/proto';
import { equalValues } from '../canonical.ts';
import { claim, claimWrites } from '../ownership.ts';
import type { Plan } from '../plan.ts';
import { forgotten, historyOf } from '../revisions/history.ts';
import type { Claims } from './claims.ts';
import { ordinalOf, revisionOf } from './identity.ts';
import { replaceOutdated } from './rolling.ts';
import { statefulSetStatus } from './status.ts';
import { condemn, keep, type Step } from './steps.ts';
import { nameOf, type View, viewOf } from './view.ts';

export interface StatefulSetObserved {
  readonly set: Live<StatefulSet>;
  /** The Pods that it manages, and those of its namespace that nobody does. */
  readonly pods: readonly Live<Pod>[];
  /** The revisions that it manages, and those of its namespace that nobody does. */
  readonly revisions: readonly Live<ControllerRevision>[];
  /** Whether a revision of this name is in its namespace. */
  readonly takenRevisions: { has(name: string): boolean };
  /** Any Pod of its namespace. */
  readonly anyPod: (name: string) => Live<Pod> | undefined;
  readonly claims: Claims;
}

/** At most so many Pods are made or removed in one step; the next step follows at once. */
const mostPerStep = 500;

/**
 * The next step of a StatefulSet: first its history, then its Pods by number, then the status of what is seen. OrderedReady
 * takes one step at the first Pod that isn't as it should be; Parallel takes all steps at once. `failed` says that the
 * step could not be taken just now, so that only the status is brought up to date.
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset
 */
export function reconcileStatefulSet(observed: StatefulSetObserved, now: number, failed = false): Plan {
  const { set } = observed;
  const selects = labelSelectorPredicate(set.spec.selector);
  const ours = observed.pods.filter((pod) => controllerOf(pod) !== undefined || ordinalOf(set, pod) !== undefined);
  const { owned, adopt, release } = claim(set, ours, selects);
  const revisions = claim(set, observed.revisions, selects);
  const by = { kind: statefulSetKind, owner: set };
  const claims = [
    ...claimWrites(podKind, by, { adopt, release }),
    // A revision is never given away: it is of no use to anybody else.
    ...claimWrites(revisionKind, by, { adopt: revisions.adopt, release: [] }),
  ];
  if (claims.length > 0 && !failed) return { writes: claims, events: [] };

  const history = historyOf(statefulSetKind, set, [...revisions.owned, ...revisions.release], {
    taken: observed.takenRevisions,
    collisions: set.status.collisionCount ?? 0,
  });
  const view = viewOf({ ...observed, owned, history }, now);
  if (set.metadata.deletionTimestamp !== '' || failed) return settle(view);
  if (history.write !== undefined) return { writes: [history.write, ...countCollisions(view)], events: [] };
  // Pods below the partition are made of it, so it must be on record before the template can change again.
  if (set.status.currentRevision !== nameOf(view.current)) return settle(view);

  const steps = nextSteps(view);
  const writes = steps.flatMap((step) => step.writes).slice(0, mostPerStep);
  const events = steps.flatMap((step) => step.events);
  if (writes.length > 0) return { writes, events };
  const settled = settle(view);
  return { ...settled, events };
}

function nextSteps(view: View): readonly Step[] {
  const ordered = (view.set.spec.podManagementPolicy ?? 'OrderedReady') === 'OrderedReady';
  const steps: Step[] = [];
  for (let ordinal = view.start; ordinal < view.end; ordinal++) {
    const step = keep(view, ordinal);
    steps.push(step);
    if (ordered && step.blocks) return steps;
  }
  for (const ordinal of view.condemned) {
    const step = condemn(view, ordinal);
    steps.push(step);
    if (ordered && step.blocks) return steps;
  }
  return steps.some(({ writes }) => writes.length > 0) ? steps : [...steps, ...replaceOutdated(view)];
}

/** The status, and no more history than is wanted. */
function settle(view: View): Plan {
  const { set, history } = view;
  const { status, againAfterMs } = statefulSetStatus(view);
  const object = { ...set, status };
  const writes: ClientWrite[] = [];
  if (!equalValues(status, set.status)) writes.push({ type: 'updateStatus', kind: statefulSetKind, object });
  const inUse = new Set([
    nameOf(view.update),
    nameOf(view.current),
    status.currentRevision,
    ...[...view.pods.values()].map(revisionOf),
  ]);
  const going = set.metadata.deletionTimestamp !== '';
  if (!going && history.write === undefined) writes.push(...forgotten(set, history.all, inUse));
  return { writes, events: [], ...(againAfterMs !== undefined && { againAfterMs }) };
}

function countCollisions({ set, history: { collisions } }: View): ClientWrite[] {
  if (collisions === (set.status.collisionCount ?? 0)) return [];
  const object = { ...set, status: { ...set.status, collisionCount: collisions } };
  return [{ type: 'updateStatus', kind: statefulSetKind, object }];
}
