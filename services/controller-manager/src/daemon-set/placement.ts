import {
  revisionHashLabel,
  affinityToNode,
  daemonTolerations,
  daemonSet as daemonSetKind,
  matchesTerms,
  namedNodes,
  requiredTerms,
  untolerated,
} from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { DaemonSet, Node, Pod } from '@navarch/proto';
import { podFromTemplate } from '../pod-from-template.ts';

/** Whether a node should have a Pod, may keep the one that it has, or must have none. */
export type Fit = 'should' | 'may' | 'must-not';

/**
 * Which nodes the template's Pods are for: those that its nodeName, nodeSelector and required affinity choose, and whose
 * taints its tolerations are for. A Pod that is there when a NoSchedule taint comes may stay.
 */
export function fitOf({ spec: { template } }: Live<DaemonSet>): (node: Live<Node>) => Fit {
  const { nodeName = '', nodeSelector = {}, affinity } = template?.spec ?? {};
  const labels = Object.entries(nodeSelector);
  const terms = requiredTerms(affinity);
  const tolerations = daemonTolerations(template?.spec);
  return ({ metadata, spec: { taints } }) => {
    const chosen =
      (nodeName === '' || nodeName === metadata.name) &&
      labels.every(([key, value]) => metadata.labels[key] === value) &&
      (terms === undefined || matchesTerms(terms, metadata));
    if (!chosen || untolerated(taints, tolerations, ['NoExecute']) !== undefined) return 'must-not';
    return untolerated(taints, tolerations, ['NoSchedule']) === undefined ? 'should' : 'may';
  };
}

/** The set's Pod for a node: the scheduler puts it there, once it fits. */
export function daemonPod(set: Live<DaemonSet>, names: { pod: string; node: string; hash: string }): Pod {
  const own = { name: names.pod, labels: { [revisionHashLabel]: names.hash } };
  const pod = podFromTemplate(daemonSetKind, set, set.spec.template, own);
  if (pod.spec === undefined) return pod;
  pod.spec.tolerations = daemonTolerations(pod.spec);
  // Whatever the template asks of nodes was looked at already.
  pod.spec.affinity = { ...pod.spec.affinity, ...affinityToNode(names.node) };
  return pod;
}

/** The node that a Pod is on, or waits for; undefined where neither can be told. */
export function nodeOf({ spec }: Live<Pod>): string | undefined {
  if (spec.nodeName !== '') return spec.nodeName;
  const [name, ...more] = namedNodes(requiredTerms(spec.affinity) ?? []) ?? [];
  return more.length === 0 ? name : undefined;
}
