import type { Controller, Source } from '@navarch/controller';
import {
  controllerRevision as revisionKind,
  daemonSet as daemonSetKind,
  node as nodeKind,
  pod as podKind,
} from '@navarch/kinds';
import { keyOf, labelSelectorPredicate, type Live } from '@navarch/machinery';
import type { ControllerRevision, DaemonSet, Node, Pod } from '@navarch/proto';
import { type Caches, managedOrOrphaned } from '../caches.ts';
import { attempt, carryOut, type Hands, refusal } from '../carry-out.ts';
import { controllerOf, metadataOf } from '../ownership.ts';
import { type Failures, withFailures } from './failures.ts';
import { type DaemonSetObserved, reconcileDaemonSet } from './reconcile.ts';

/** Keeps the Pods of each DaemonSet on the nodes that should have them. */
export function daemonSetController(caches: Caches, hands: Hands): Controller {
  /** Of each set. Lost with the process: then a Pod that fails again is made anew somewhat sooner. */
  const failures = new Map<string, Failures>();
  const own: Source<DaemonSet> = { kind: daemonSetKind, keys: (object) => [keyOf(object)] };
  const pods: Source<Pod> = { kind: podKind, keys: (object) => setsOf(object, caches) };
  const revisions: Source<ControllerRevision> = { kind: revisionKind, keys: (object) => setsOf(object, caches) };
  const nodes: Source<Node> = { kind: nodeKind, keys: () => caches.daemonSets.list().map(keyOf) };
  return {
    name: 'daemonset',
    sources: [own, pods, revisions, nodes],
    reconcile: async (key, context) => {
      const set = caches.daemonSets.get(key);
      if (set === undefined) {
        failures.delete(key);
        return {};
      }
      const observed = observe(set, caches, failures.get(key) ?? new Map());
      const plan = reconcileDaemonSet(observed, context.now);
      if (plan.failedOn.length > 0) failures.set(key, withFailures(observed.failures, plan.failedOn, context.now));
      const { wroteRevision, failures: refusals } = await attempt(hands, plan, context);
      const [first] = refusals;
      if (first === undefined) {
        const { againAfterMs } = plan;
        return { ...(wroteRevision > 0n && { wroteRevision }), ...(againAfterMs !== undefined && { againAfterMs }) };
      }
      const error = refusal(first.error);
      if (error.reason !== 'Conflict' && first.write.type !== 'updateStatus') {
        const reason = first.write.type === 'delete' ? 'FailedDelete' : 'FailedCreate';
        hands.events.event(daemonSetKind, set, 'Warning', reason, error.message);
        await carryOut(hands, reconcileDaemonSet(observed, context.now, true), context);
      }
      throw error;
    },
  };
}

function observe(set: Live<DaemonSet>, caches: Caches, failures: Failures): DaemonSetObserved {
  const { namespace } = set.metadata;
  return {
    set,
    nodes: caches.nodes.list(),
    pods: managedOrOrphaned(caches.pods, set),
    revisions: managedOrOrphaned(caches.controllerRevisions, set),
    takenPods: { has: (name) => caches.pods.get({ namespace, name }) !== undefined },
    takenRevisions: { has: (name) => caches.controllerRevisions.get({ namespace, name }) !== undefined },
    failures,
  };
}

/** The one that manages the object, or those that may want to. */
function setsOf(object: Pod | ControllerRevision, { daemonSets }: Caches): readonly string[] {
  const metadata = metadataOf(object);
  const manager = controllerOf({ metadata });
  if (manager !== undefined)
    return manager.kind === daemonSetKind.kind ? [`${metadata.namespace}/${manager.name}`] : [];
  return daemonSets
    .list(metadata.namespace)
    .filter(({ spec }) => labelSelectorPredicate(spec.selector)(metadata.labels))
    .map(keyOf);
}
