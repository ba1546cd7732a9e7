import type { Controller, Source } from '@navarch/controller';
import {
  controllerRevision as revisionKind,
  daemonSet as daemonSetKind,
  node as nodeKind,
  pod as podKind,
} from '@navarch/kinds';
import { keyOf, type Live } from '@navarch/machinery';
import type { ControllerRevision, DaemonSet, Node, Pod } from '@navarch/proto';
import { type Caches, managedOrOrphaned, managersOf } from '../caches.ts';
import { carryOutPods, type Hands } from '../carry-out.ts';
import { type Failures, withFailures } from './failures.ts';
import { type DaemonSetObserved, reconcileDaemonSet } from './reconcile.ts';

/** Keeps the Pods of each DaemonSet on the nodes that should have them. */
export function daemonSetController(caches: Caches, hands: Hands): Controller {
  /** Of each set. Lost with the process: then a Pod that fails again is made anew somewhat sooner. */
  const failures = new Map<string, Failures>();
  const own: Source<DaemonSet> = { kind: daemonSetKind, keys: (object) => [keyOf(object)] };
  const setsOf = managersOf(daemonSetKind, caches.daemonSets, ({ spec }) => spec.selector);
  const pods: Source<Pod> = { kind: podKind, keys: setsOf };
  const revisions: Source<ControllerRevision> = { kind: revisionKind, keys: setsOf };
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
      const meanwhile = () => reconcileDaemonSet(observed, context.now, true);
      return carryOutPods(hands, plan, { kind: daemonSetKind, object: set, meanwhile }, context);
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
