import { matchesTerms, nodeTaints, tolerates, untolerated } from '@navarch/kinds';
import { available, type NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';

/** What may happen in the cluster that lets a Pod fit which did not. */
export const clusterEvents = [
  'node-added',
  'node-grew',
  'node-labelled',
  'node-became-ready',
  'node-became-schedulable',
  'node-untainted',
  'pod-left',
  'pod-placed',
  'claim-changed',
  'queue-changed',
] as const;
export type ClusterEvent = (typeof clusterEvents)[number];

/** A stage that says which nodes can't have a Pod. */
export interface Filter {
  readonly name: string;
  /** Whether the filter has to be asked for this Pod at all. Default: yes. */
  readonly concerns?: (pod: PodInfo) => boolean;
  /** Why the node can't have the Pod, for the sentence "2 Insufficient cpu"; empty when it can. */
  readonly reject: (pod: PodInfo, node: NodeInfo) => readonly string[];
  /** What can lift a rejection, beyond a new node, which always may. */
  readonly liftedBy: readonly ClusterEvent[];
}

const fits: readonly string[] = [];

/** In the order in which they are asked; the first that rejects a node speaks for it. The words are kubectl users' own. */
export const filters: readonly Filter[] = [
  {
    name: 'VolumeBinding',
    concerns: ({ claims }) => claims.length > 0,
    reject: ({ claims }, node) => {
      for (const { name, problem, nodeName } of claims) {
        if (problem !== undefined) return [`claim ${name} ${problem}`];
        if (nodeName !== '' && nodeName !== node.name) return [`claim ${name} lives on node ${nodeName}`];
      }
      return fits;
    },
    liftedBy: ['claim-changed', 'pod-left'],
  },
  {
    name: 'NodeUnschedulable',
    reject: (pod, node) =>
      node.unschedulable && !toleratesTaint(pod, nodeTaints.unschedulable) ? ['node(s) were unschedulable'] : fits,
    liftedBy: ['node-became-schedulable'],
  },
  {
    name: 'NodeReady',
    // The taint comes a moment after the condition.
    reject: (pod, node) => (node.ready || toleratesTaint(pod, nodeTaints.notReady) ? fits : ['node(s) were not ready']),
    liftedBy: ['node-became-ready'],
  },
  {
    name: 'TaintToleration',
    reject: ({ tolerations }, { taints }) => {
      if (taints.length === 0) return fits;
      const taint = untolerated(taints, tolerations, ['NoSchedule', 'NoExecute']);
      return taint === undefined ? fits : [`node(s) had untolerated taint {${taint.key}: ${taint.value}}`];
    },
    liftedBy: ['node-untainted'],
  },
  {
    name: 'NodeSelector',
    concerns: ({ nodeSelector }) => nodeSelector.length > 0,
    reject: ({ nodeSelector }, { labels }) => {
      for (const [label, value] of nodeSelector) {
        if (labels[label] !== value) return ["node(s) didn't match node selector"];
      }
      return fits;
    },
    liftedBy: ['node-labelled'],
  },
  {
    name: 'NodeAffinity',
    concerns: ({ terms }) => terms !== undefined,
    reject: ({ terms }, node) =>
      terms === undefined || matchesTerms(terms, node) ? fits : ["node(s) didn't match Pod's node affinity"],
    liftedBy: ['node-labelled'],
  },
  {
    name: 'NodePorts',
    concerns: ({ hostPorts }) => hostPorts.length > 0,
    reject: ({ hostPorts }, node) =>
      hostPorts.some((port) => node.hostPorts.has(port))
        ? ["node(s) didn't have free ports for the requested pod ports"]
        : fits,
    liftedBy: ['pod-left'],
  },
  {
    name: 'NodeResourcesFit',
    reject: ({ needs }, node) => {
      let reasons: string[] | undefined;
      for (const { resource, amount } of needs) {
        if (amount <= available(node, resource)) continue;
        reasons ??= [];
        reasons.push(resource === 'pods' ? 'Too many pods' : `Insufficient ${resource}`);
      }
      return reasons ?? fits;
    },
    liftedBy: ['node-grew', 'pod-left'],
  },
];

/** The rules about other Pods (see constraints.ts), and what can lift what they say. */
export const podRules: readonly Pick<Filter, 'name' | 'liftedBy'>[] = [
  { name: 'PodTopologySpread', liftedBy: ['node-labelled', 'node-untainted', 'pod-left', 'pod-placed'] },
  { name: 'InterPodAffinity', liftedBy: ['node-labelled', 'pod-left', 'pod-placed'] },
];

/** What keeps groups of Pods waiting besides (see gangs/), and what can lift it. */
export const groupRules: readonly Pick<Filter, 'name' | 'liftedBy'>[] = [
  { name: 'Queue', liftedBy: ['queue-changed'] },
  { name: 'ScheduleTimeout', liftedBy: [] },
];

function toleratesTaint({ tolerations }: PodInfo, key: string): boolean {
  return tolerations.some((each) => tolerates(each, { key, value: '', effect: 'NoSchedule' }));
}
