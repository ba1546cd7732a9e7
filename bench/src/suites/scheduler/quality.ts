import { randomFrom } from '@navarch/machinery';
import { defaultProfiles, nodeFacts, type Profile, schedule, Snapshot, toPodInfo } from '@navarch/scheduler';
import type { Figure } from '../../frame/figure.ts';
import { nodeOf, podOf } from './workloads.ts';

const cases = 100;
const podsEach = 9;
const nodes = { count: 5, cpu: 16, memoryGi: 32 };

interface Size {
  readonly cpu: number;
  readonly memoryGi: number;
}

const packing: Profile = {
  schedulerName: 'packing',
  scores: [
    {
      name: 'NodeResourcesFit',
      weight: 1,
      scoringStrategy: {
        type: 'MostAllocated',
        resources: [
          { name: 'cpu', weight: 1 },
          { name: 'memory', weight: 1 },
        ],
      },
    },
  ],
};

/**
 * How good placements are: Pods of random sizes come one after another to five equal nodes, a hundred times. The limit is what
 * somebody reaches who knows all of them beforehand and tries every way to place them.
 */
export function* measureQuality(): Iterable<Figure> {
  const all = Array.from({ length: cases }, (_, seed) => sizes(seed));
  const best = all.map(optimum);
  const spread = mean(best.map(({ spread }) => spread));
  for (const name of ['default-scheduler', 'kubernetes-defaults', 'random']) {
    const value = mean(all.map((pods) => spreadOf(place(pods, profileOf(name)))));
    yield { name: `spread of utilisation, ${name}`, value: 100 * value, limit: 100 * spread, unit: '% of a node' };
  }
  const used = mean(best.map(({ used }) => used));
  for (const profile of [profileOf('least-remaining'), packing]) {
    const value = mean(all.map((pods) => usedBy(place(pods, profile))));
    const name = profile === packing ? 'MostAllocated' : profile.schedulerName;
    yield { name: `nodes used, ${name}`, value, limit: used, unit: 'nodes' };
  }
}

function sizes(seed: number): readonly Size[] {
  const random = randomFrom(seed);
  return Array.from({ length: podsEach }, () => ({ cpu: 1 + random.below(6), memoryGi: 1 + random.below(12) }));
}

/** What each node has in the end, as the scheduler decides. */
function place(pods: readonly Size[], profile: Profile): readonly Size[] {
  const snapshot = new Snapshot();
  for (let number = 0; number < nodes.count; number++) {
    const node = nodeOf(number, String(nodes.cpu));
    snapshot.putNode({ ...nodeFacts(node), allocatable: { cpu: nodes.cpu * 1000, memory: nodes.memoryGi, pods: 110 } });
  }
  const taken = new Map(snapshot.nodes.map(({ name }) => [name, { cpu: 0, memoryGi: 0 }]));
  for (const [number, size] of pods.entries()) {
    const pod = toPodInfo(podOf(`pod-${number}`, { cpu: String(size.cpu), memory: String(size.memoryGi) }));
    const decision = schedule(pod, snapshot, profile, number);
    if (decision.type === 'reject')
      throw new Error(`no node can have a Pod of a case that all fit: ${decision.message}`);
    snapshot.place(pod.key, decision.nodeName, pod);
    taken.set(decision.nodeName, plus(taken.get(decision.nodeName), size));
  }
  return [...taken.values()];
}

/** Over all ways to place them, equal nodes being one as good as the other: the evenest, and that on the fewest nodes. */
function optimum(pods: readonly Size[]): { spread: number; used: number } {
  const best = { spread: Number.POSITIVE_INFINITY, used: nodes.count };
  const taken: Size[] = Array.from({ length: nodes.count }, () => ({ cpu: 0, memoryGi: 0 }));
  const visit = (index: number, open: number) => {
    const pod = pods[index];
    if (pod === undefined) {
      best.spread = Math.min(best.spread, spreadOf(taken));
      best.used = Math.min(best.used, open);
      return;
    }
    for (let at = 0; at < Math.min(open + 1, nodes.count); at++) {
      const before = taken[at] ?? { cpu: 0, memoryGi: 0 };
      const after = plus(before, pod);
      if (after.cpu > nodes.cpu || after.memoryGi > nodes.memoryGi) continue;
      taken[at] = after;
      visit(index + 1, Math.max(open, at + 1));
      taken[at] = before;
    }
  };
  visit(0, 0);
  return best;
}

/** The standard deviation over the nodes of how much of cpu and memory together is taken. */
function spreadOf(taken: readonly Size[]): number {
  const parts = taken.map(({ cpu, memoryGi }) => (cpu / nodes.cpu + memoryGi / nodes.memoryGi) / 2);
  const middle = mean(parts);
  return Math.sqrt(mean(parts.map((part) => (part - middle) ** 2)));
}

function usedBy(taken: readonly Size[]): number {
  return taken.filter(({ cpu }) => cpu > 0).length;
}

function profileOf(name: string): Profile {
  const profile = defaultProfiles.find(({ schedulerName }) => schedulerName === name);
  if (profile === undefined) throw new Error(`there is no profile ${name}`);
  return profile;
}

function plus(one: Size | undefined, other: Size): Size {
  return { cpu: (one?.cpu ?? 0) + other.cpu, memoryGi: (one?.memoryGi ?? 0) + other.memoryGi };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
