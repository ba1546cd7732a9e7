import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { now } from '../objects.fixture.ts';
import { noHistory, type ScalingHistory } from './history.ts';
import type { MeasuredPod } from './observed.ts';
import { reconcileAutoscaler } from './reconcile.ts';
import { type Policy, rulesOf } from './rules.ts';
import { autoscaler, cpuAt, external, observe, series, use, using } from './scene.fixture.ts';

const policy = fc.record({
  type: fc.constantFrom('Pods', 'Percent'),
  value: fc.integer({ min: 1, max: 150 }),
  periodSeconds: fc.integer({ min: 1, max: 120 }),
});
const rules = fc.record({
  stabilizationWindowSeconds: fc.integer({ min: 0, max: 90 }),
  selectPolicy: fc.constantFrom('Max', 'Min', 'Disabled'),
  policies: fc.array(policy, { minLength: 1, maxLength: 3 }),
});
const spec = fc
  .record({
    minReplicas: fc.integer({ min: 0, max: 5 }),
    more: fc.integer({ min: 1, max: 40 }),
    behavior: fc.option(fc.record({ scaleUp: rules, scaleDown: rules }), { nil: undefined }),
  })
  .map(({ minReplicas, more, behavior }) => ({
    minReplicas,
    maxReplicas: minReplicas + more,
    metrics: [cpuAt(50), external('length', { averageValue: '10' })],
    ...(behavior === undefined ? {} : { behavior }),
  }));

/** What a moment brings: how long it took, what is measured, and which Pods say nothing. */
const moment = fc.record({
  passedMs: fc.integer({ min: 15_000, max: 40_000 }),
  cpu: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 2_000 })),
  silent: fc.constantFrom(0, 0, 0, 0.3, 1),
  ready: fc.constantFrom(1, 1, 1, 0.5, 0),
  length: fc.option(fc.integer({ min: 0, max: 500 }), { nil: undefined }),
});

interface Moment {
  readonly passedMs: number;
  readonly cpu: number;
  readonly silent: number;
  readonly ready: number;
  readonly length: number | undefined;
}

function podsOf(count: number, { cpu, silent, ready }: Moment, atMs: number): MeasuredPod[] {
  return Array.from({ length: count }, (_, index): MeasuredPod => {
    const isSilent = index < silent * count;
    const measured = using(`web-${index}`, isSilent ? undefined : cpu, { ready: index >= (1 - ready) * count });
    return isSilent ? measured : { ...measured, usage: { ...use(cpu), atMs } };
  });
}

/** Whether going from `wanted` to `next` is more than a policy allows, given what was wanted when its period began. */
function exceeds(next: number, wanted: number, { type, value }: Policy, before: number): boolean {
  if (next > wanted) {
    return next > (type === 'Pods' ? before + value : Math.max(1, Math.ceil(before * (1 + value / 100))));
  }
  return next < (type === 'Pods' ? before - value : Math.floor(before * (1 - value / 100)));
}

/** An autoscaler and its target in time, with a record of what was wanted when. */
class Story {
  readonly faults: string[] = [];
  readonly #spec: { readonly minReplicas: number; readonly maxReplicas: number };
  readonly #timeline: { atMs: number; wanted: number }[];
  #history: ScalingHistory = noHistory;
  #status: object = {};
  #nowMs = now;

  constructor(spec: { readonly minReplicas: number; readonly maxReplicas: number }) {
    this.#spec = spec;
    this.#timeline = [{ atMs: now - 1e9, wanted: Math.max(1, spec.minReplicas) }];
  }

  step(moment: Moment): void {
    this.#nowMs += moment.passedMs;
    const wanted = this.#wantedAt(this.#nowMs);
    const decision = this.#look(moment, wanted);
    this.#history = decision.history;
    this.#status = decision.autoscaler?.status ?? this.#status;
    const next = decision.scaleTo?.replicas ?? wanted;
    if (next !== wanted) this.#check(next, wanted);
    if (next < this.#spec.minReplicas || next > this.#spec.maxReplicas) this.faults.push(`${next} is out of bounds`);
    const { recommendations, changes } = this.#history;
    if (recommendations.length + changes.length > 80) this.faults.push('the history grows');
    if (decision.scaleTo === undefined) {
      const { scaleTo, autoscaler, events } = this.#look(moment, wanted);
      if (scaleTo ?? autoscaler ?? events[0]) this.faults.push('not silent at the fixed point');
    }
    this.#timeline.push({ atMs: this.#nowMs, wanted: next });
  }

  #check(next: number, wanted: number): void {
    const { up, down } = rulesOf(autoscaler(this.#spec).spec);
    const { select, policies } = next > wanted ? up : down;
    const exceeded = policies.map((policy) =>
      exceeds(next, wanted, policy, this.#wantedAt(this.#nowMs - policy.periodMs)),
    );
    const tooFast = select === 'Min' ? exceeded.some(Boolean) : exceeded.every(Boolean);
    if (select === 'Disabled' || tooFast) this.faults.push(`from ${wanted} to ${next} by ${JSON.stringify(policies)}`);
  }

  #look(moment: Moment, wanted: number) {
    const pods = podsOf(wanted, moment, this.#nowMs - 1_000);
    const pushed = moment.length === undefined ? [] : [series('length', String(moment.length))];
    const observed = { ...observe({ wanted, pods, pushed }), autoscaler: autoscaler(this.#spec, this.#status) };
    return reconcileAutoscaler({ ...observed, history: this.#history }, this.#nowMs);
  }

  #wantedAt(atMs: number): number {
    return this.#timeline.findLast((each) => each.atMs <= atMs)?.wanted ?? 0;
  }
}

test('whatever happens: within bounds, never faster than the policies allow, and silent at the fixed point', () => {
  fc.assert(
    fc.property(spec, fc.array(moment, { minLength: 1, maxLength: 40 }), (spec, moments) => {
      const story = new Story(spec);
      for (const each of moments) story.step(each);
      expect(story.faults).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
