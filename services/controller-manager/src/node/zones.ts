/** The label that says where a node stands: what fails together. */
export const zoneLabel = 'topology.kubernetes.io/zone';

export interface ZoneSettings {
  /** Nodes a second whose Pods are moved, in a zone where most nodes are well. */
  readonly rate: number;
  /** The same where most are not, if the zone is large; none in a small one. */
  readonly secondaryRate: number;
  /** More nodes than so many make a zone large. */
  readonly largeZone: number;
}

/** Kubernetes' own. */
export const usualZoneSettings: ZoneSettings = { rate: 0.1, secondaryRate: 0.01, largeZone: 50 };

/** The share of nodes that may be unwell before that is rather taken for a fault of the network, or our own. */
const mostUnwell = 0.55;

/** What a look at one node tells. */
export interface NodeHealth {
  /** '' when it doesn't say. */
  readonly zone: string;
  /** Ready, and heard of. */
  readonly well: boolean;
}

export interface Zone {
  readonly nodes: number;
  readonly unwell: number;
  /** Nodes a second whose Pods may be moved. */
  readonly rate: number;
}

export interface Judgement {
  /** Most nodes seem gone, which is rather us who don't hear: no Pod is touched. */
  readonly stopped: boolean;
  readonly nodes: number;
  readonly unwell: number;
  readonly zones: ReadonlyMap<string, Zone>;
}

/**
 * How fast Pods may be moved off nodes that fail. Of a zone that is wholly gone they are moved as of a single node, since the
 * others are well; in one where most are gone, slower, or not at all. Source:
 * https://kubernetes.io/docs/concepts/architecture/nodes/#rate-limits-on-eviction. Where most nodes of the whole cluster seem
 * gone, it stops: Kubernetes does so only when all are.
 */
export function judgeZones(nodes: readonly NodeHealth[], settings: ZoneSettings): Judgement {
  const unwell = nodes.filter(({ well }) => !well).length;
  const stopped = isMost(unwell, nodes.length);
  const zones = new Map<string, Zone>();
  for (const [zone, members] of Map.groupBy(nodes, ({ zone }) => zone)) {
    const unwellHere = members.filter(({ well }) => !well).length;
    const rate = stopped ? 0 : rateOf(members.length, unwellHere, settings);
    zones.set(zone, { nodes: members.length, unwell: unwellHere, rate });
  }
  return { stopped, nodes: nodes.length, unwell, zones };
}

/** All of them, or more than 55 % of at least three: a fleet of two loses one node's Pods as it should. */
export function isMost(unwell: number, all: number): boolean {
  if (unwell === 0) return false;
  return unwell === all || (all >= 3 && unwell / all > mostUnwell);
}

function rateOf(nodes: number, unwell: number, { rate, secondaryRate, largeZone }: ZoneSettings): number {
  if (unwell === nodes || unwell <= 2 || unwell / nodes <= mostUnwell) return rate;
  return nodes > largeZone ? secondaryRate : 0;
}
