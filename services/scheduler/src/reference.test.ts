import type { Live } from '@navarch/machinery';
import type { Node, Pod } from '@navarch/proto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Rejection, Tally } from './explain.ts';
import { nodeFacts } from './node-info.ts';
import type { Profile } from './profiles.ts';
import { footprint, toPodInfo } from './pod-info.ts';
import { referenceDecision } from './reference.fixture.ts';
import { rejections, schedule } from './schedule.ts';
import { Snapshot } from './snapshot.ts';
import { anyProfile } from './profiles.fixture.ts';
import { type NodeShape, namespaces, nodeOf, type PodShape, podOf, type Step, stories } from './stories.fixture.ts';

/** What a scheduler says of a Pod: who can have it, and whether the chosen node is one of the best. */
interface Verdict {
  /** Why nobody can have it. */
  readonly message: string;
  readonly able: readonly string[];
  readonly feasible: number;
  readonly choice: 'none' | 'a best one' | 'not the best';
  /** Of the node that the real one chose. */
  readonly score: number;
}

/** One cluster, known to both schedulers. */
class Both {
  readonly fast: Verdict[] = [];
  readonly plain: Verdict[] = [];
  readonly #profile: Profile;
  readonly #snapshot = new Snapshot();
  #nodes: Live<Node>[] = [];
  #pods: Live<Pod>[] = [];
  #last: string | undefined;

  constructor(nodes: readonly NodeShape[], profile: Profile) {
    this.#profile = profile;
    for (const [name, labels] of Object.entries(namespaces)) this.#snapshot.setNamespace(name, labels);
    for (const [number, shape] of nodes.entries()) this.#put(nodeOf(shape, number));
  }

  happens(step: Step, number: number, seed: number): void {
    if ('pod' in step) this.#place(step.pod, number, seed);
    else if ('ends' in step) this.#end(step.ends);
    else if ('node' in step) this.#put(nodeOf(step.node, step.at));
    else this.#lose(`n${step.loses}`);
  }

  #place(shape: PodShape, number: number, seed: number): void {
    const pod = podOf(shape, number);
    const info = toPodInfo(pod);
    const world = { nodes: this.#nodes, pods: this.#pods, namespaces };
    const { able, best, scores } = referenceDecision(pod, world, this.#profile, this.#last);
    const decision = schedule(info, this.#snapshot, this.#profile, seed);
    const refused = rejections(info, this.#snapshot);
    const name = decision.type === 'place' ? decision.nodeName : undefined;
    this.plain.push({
      message: able.length === 0 ? sentence(refused.values()) : '',
      able,
      feasible: able.length,
      choice: able.length === 0 ? 'none' : 'a best one',
      score: name === undefined ? 0 : (scores.get(name) ?? Number.NaN),
    });
    this.fast.push({
      message: decision.type === 'reject' ? decision.message : '',
      able: this.#nodes
        .map(nameOf)
        .filter((each) => !refused.has(each))
        .sort(),
      feasible: decision.type === 'place' ? decision.feasible : 0,
      choice: name === undefined ? 'none' : best.includes(name) ? 'a best one' : 'not the best',
      score: decision.type === 'place' ? decision.score : 0,
    });
    if (name === undefined) return;
    this.#last = name;
    this.#snapshot.lastChosen.set(this.#profile.schedulerName, name);
    const bound = podOf(shape, number, name);
    this.#pods.push(bound);
    this.#snapshot.place(info.key, name, footprint(bound));
  }

  #end(which: number): void {
    const [gone] = this.#pods.splice(which % Math.max(1, this.#pods.length), 1);
    if (gone) this.#snapshot.take(toPodInfo(gone).key);
  }

  #put(node: Live<Node>): void {
    this.#nodes = [...this.#nodes.filter((other) => nameOf(other) !== nameOf(node)), node];
    this.#snapshot.putNode(nodeFacts(node));
  }

  #lose(name: string): void {
    this.#snapshot.removeNode(name);
    for (const pod of this.#pods) if (pod.spec.nodeName === name) this.#snapshot.take(toPodInfo(pod).key);
    this.#nodes = this.#nodes.filter((node) => nameOf(node) !== name);
    this.#pods = this.#pods.filter(({ spec }) => spec.nodeName !== name);
  }
}

/** Counted anew. */
function sentence(refused: Iterable<Rejection>): string {
  const tally = new Tally();
  for (const rejection of refused) tally.count(rejection, 1);
  return tally.toString();
}

function nameOf({ metadata }: Live<Node>): string {
  return metadata.name;
}

test.each([
  ['of all sorts', 500],
  ['without wishes', 60],
] as const)(
  'the fast scheduler and the plain one agree on who can have a Pod %s, who is best and by how much',
  (sort, none) => {
    const choices = { none: 0, 'a best one': 0, 'not the best': 0 };
    fc.assert(
      fc.property(stories[sort], anyProfile, fc.nat(), ({ nodes, steps }, profile, seed) => {
        const both = new Both(nodes, profile);
        for (const [number, each] of steps.entries()) both.happens(each, number, seed + number);
        expect(both.fast).toEqual(both.plain);
        for (const { choice } of both.plain) choices[choice]++;
      }),
      { numRuns: 600 },
    );
    // The stories say something about both.
    expect(choices['a best one']).toBeGreaterThan(1_000);
    expect(choices.none).toBeGreaterThan(none);
  },
  120_000,
);
