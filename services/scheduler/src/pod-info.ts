import { type Demand, namedNodes, nominal, type Nominal, podDemand, requiredTerms } from '@navarch/kinds';
import { keyOf, type Live } from '@navarch/machinery';
import type { NodeSelectorTerm, Pod, PreferredSchedulingTerm, Toleration } from '@navarch/proto';
import { type ClaimInfo, claimKeys } from './claims.ts';
import { podImages } from './images.ts';
import { type LikedPods, type PodClass, type PodTerm, podTerms, type SpreadRule, spreadRules } from './pod-terms.ts';

/** What a Pod takes of its node, and what it means to Pods that come after it. */
export interface Footprint extends Demand {
  readonly nominal: Nominal;
  /** The claims that it mounts: `namespace/name`. */
  readonly claimKeys: readonly string[];
  readonly podClass: PodClass;
  readonly priority: number;
  /** When it was made, as RFC 3339 text. */
  readonly since: string;
  /** Pods that must not come near it. */
  readonly repels: readonly PodTerm[];
  /** Pods that it likes near it, or doesn't: what it was placed by, it wishes of those that come after it. */
  readonly draws: readonly LikedPods[];
}

/** What scheduling must know of a Pod that has no node, read out of it once. */
export interface PodInfo extends Footprint {
  /** `namespace/name`. */
  readonly key: string;
  readonly uid: string;
  /** A new one for each change of the spec. */
  readonly generation: number;
  readonly pod: Live<Pod>;
  readonly schedulerName: string;
  /** Equal for Pods that nodes by themselves treat alike: what is known of one holds for all. */
  readonly shape: string;
  /** The requests that are not 0, as a list: it is walked for each node. */
  readonly needs: readonly Need[];
  readonly nodeSelector: readonly (readonly [label: string, value: string])[];
  readonly tolerations: readonly Toleration[];
  /** What it requires of its node: one of these; nothing when undefined. */
  readonly terms: readonly NodeSelectorTerm[] | undefined;
  /** The only nodes that `terms` can choose; undefined when they don't go by names. */
  readonly namedNodes: ReadonlySet<string> | undefined;
  readonly likedNodes: readonly PreferredSchedulingTerm[];
  /** Pods that it must be near. */
  readonly needsNear: readonly PodTerm[];
  readonly spread: readonly SpreadRule[];
  /** What is known of its claims at the time of the decision. */
  readonly claims: readonly ClaimInfo[];
  /** The images of its containers, by their full names. */
  readonly images: readonly string[];
}

export interface Need {
  readonly resource: string;
  readonly amount: number;
}

export function toPodInfo(pod: Live<Pod>): PodInfo {
  const { spec } = pod;
  const print = footprint(pod);
  const terms = requiredTerms(spec.affinity);
  const needs = Object.entries(print.requests)
    .filter(([, amount]) => amount > 0)
    .map(([resource, amount]) => ({ resource, amount }));
  const nodeSelector = Object.entries(spec.nodeSelector);
  const likedNodes = spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return {
    ...print,
    key: keyOf(pod),
    uid: pod.metadata.uid,
    generation: pod.metadata.generation,
    pod,
    schedulerName: spec.schedulerName || 'default-scheduler',
    shape: JSON.stringify([needs, nodeSelector, spec.tolerations, terms, likedNodes, print.hostPorts, print.nominal]),
    needs,
    nodeSelector,
    tolerations: spec.tolerations,
    terms,
    namedNodes: terms && namedNodes(terms),
    likedNodes,
    needsNear: podTerms(pod, spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    spread: spreadRules(pod),
    claims: [],
    images: podImages(pod),
  };
}

/** A Pod's required affinity counts for this much where another Pod chooses among nodes. Source: kube-scheduler's default. */
const requiredAffinityWeight = 1;

export function footprint(pod: Live<Pod>): Footprint {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  const wants = podTerms(pod, podAffinity?.requiredDuringSchedulingIgnoredDuringExecution);
  const liked = podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const disliked = podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const weighted = (sign: 1 | -1) => (each: (typeof liked)[number]) => {
    if (each.podAffinityTerm === undefined) return [];
    return podTerms(pod, [each.podAffinityTerm]).map((term) => ({ term, weight: sign * each.weight, required: false }));
  };
  return {
    ...podDemand(pod),
    nominal: nominal(pod),
    claimKeys: claimKeys(pod),
    podClass: podClass(pod),
    priority: pod.spec.priority ?? 0,
    since: pod.metadata.creationTimestamp,
    repels: podTerms(pod, podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    draws: [
      ...wants.map((term) => ({ term, weight: requiredAffinityWeight, required: true })),
      ...liked.flatMap(weighted(1)),
      ...disliked.flatMap(weighted(-1)),
    ],
  };
}

/** The footprint alone: who keeps it for as long as the Pod has its node must not keep all that was known of the Pod. */
export function footprintOf(info: PodInfo): Footprint {
  const { requests, nominal, hostPorts, claimKeys, podClass, priority, since, repels, draws } = info;
  return { requests, nominal, hostPorts, claimKeys, podClass, priority, since, repels, draws };
}

export function podClass({ metadata }: Live<Pod>): PodClass {
  const { namespace, labels } = metadata;
  return { key: JSON.stringify([namespace, labels]), namespace, labels };
}
