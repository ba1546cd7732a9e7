import { isApiError } from '@navarch/machinery';
import type { Pod, PodDisruptionBudget } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { decodeObject } from '../cache/cached-object.ts';
import { cached, type Manifest, step, viewOf } from './admission/step.fixture.ts';
import { spendDisruption } from './disruption-budget.ts';

const pod = (
  name: string,
  more: { ready?: boolean; phase?: string; labels?: object; going?: boolean } = {},
): Manifest => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    labels: more.labels ?? { app: 'web' },
    ...(more.going === true && { deletionTimestamp: '2026-01-01T00:00:00Z' }),
  },
  spec: { containers: [{ name: 'c', image: 'nginx' }], nodeName: 'n1' },
  status: {
    phase: more.phase ?? 'Running',
    conditions: [{ type: 'Ready', status: more.ready === false ? 'False' : 'True' }],
  },
});
const budget = (status: object, spec: object = {}, name = 'web'): Manifest => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name, generation: 1 },
  spec: { selector: { matchLabels: { app: 'web' } }, ...spec },
  status: { observedGeneration: 1, ...status },
});
const three = [pod('a'), pod('b'), pod('c')];

/** What is left after the eviction of the first Pod; 'free' when nothing was taken; or the refusal. */
function evict(pods: readonly Manifest[], ...budgets: readonly Manifest[]): number | string {
  const [going] = pods;
  if (going === undefined) throw new Error('no Pod');
  const { circumstances } = step(viewOf(...pods, ...budgets), going);
  const object = cached(going);
  try {
    const spent = spendDisruption(circumstances, object, object.object as Pod);
    if (spent === undefined) return 'free';
    const { status } = decodeObject(spent.object.kind, spent.body) as PodDisruptionBudget;
    return status?.disruptionsAllowed ?? Number.NaN;
  } catch (error) {
    if (!isApiError(error)) throw error;
    return `${error.reason}${error.retryAfterSeconds === undefined ? '' : ` ${error.retryAfterSeconds} s`}: ${error.message}`;
  }
}

describe('an eviction', () => {
  test.each([
    {
      name: 'takes one disruption',
      pods: three,
      budgets: [budget({ disruptionsAllowed: 2, desiredHealthy: 1, currentHealthy: 3 })],
      is: 1,
    },
    { name: 'is free without a budget', pods: three, budgets: [], is: 'free' },
    {
      name: 'is free under a budget for others',
      pods: three,
      budgets: [budget({}, { selector: { matchLabels: { app: 'db' } } })],
      is: 'free',
    },
    {
      name: 'is free under a budget without a selector',
      pods: three,
      budgets: [budget({}, { selector: undefined })],
      is: 'free',
    },
    {
      name: 'is free for a Pod that has ended',
      pods: [pod('a', { phase: 'Failed' })],
      budgets: [budget({ desiredHealthy: 1 })],
      is: 'free',
    },
    {
      name: 'is free for a Pod that has not begun',
      pods: [pod('a', { phase: 'Pending', ready: false })],
      budgets: [budget({ desiredHealthy: 1 })],
      is: 'free',
    },
    {
      name: 'of a Pod that is not ready is free while enough others are healthy',
      pods: [pod('a', { ready: false }), pod('b'), pod('c')],
      budgets: [budget({ disruptionsAllowed: 0, desiredHealthy: 2, currentHealthy: 2 })],
      is: 'free',
    },
    {
      name: 'of a Pod that is not ready is free with AlwaysAllow, however few are healthy',
      pods: [pod('a', { ready: false }), pod('b')],
      budgets: [
        budget(
          { disruptionsAllowed: 0, desiredHealthy: 2, currentHealthy: 1 },
          { unhealthyPodEvictionPolicy: 'AlwaysAllow' },
        ),
      ],
      is: 'free',
    },
  ])('$name', ({ pods, budgets, is }) => {
    expect(evict(pods, ...budgets)).toBe(is);
  });

  test.each([
    {
      name: 'when nothing is left of the budget',
      pods: three,
      budgets: [budget({ disruptionsAllowed: 0, desiredHealthy: 3, currentHealthy: 3 })],
      why: "TooManyRequests 2 s: cannot evict pod default/a as it would violate the pod's disruption budget: the disruption budget web needs 3 healthy pods and has 3 currently",
    },
    {
      name: 'when a Pod has failed that the budget still counts as healthy',
      pods: [pod('a'), pod('b'), pod('c', { ready: false })],
      budgets: [budget({ disruptionsAllowed: 1, desiredHealthy: 2, currentHealthy: 3 })],
      why: "TooManyRequests 2 s: cannot evict pod default/a as it would violate the pod's disruption budget: the disruption budget web needs 2 healthy pods and has 2 currently",
    },
    {
      name: 'when another Pod is going that the budget still counts as healthy',
      pods: [pod('a'), pod('b'), pod('c', { going: true })],
      budgets: [budget({ disruptionsAllowed: 1, desiredHealthy: 2, currentHealthy: 3 })],
      why: 'needs 2 healthy pods and has 2 currently',
    },
    {
      name: 'of a Pod that is not ready, when too few others are healthy',
      pods: [pod('a', { ready: false }), pod('b')],
      budgets: [budget({ disruptionsAllowed: 0, desiredHealthy: 2, currentHealthy: 1 })],
      why: 'needs 2 healthy pods and has 1 currently',
    },
    {
      name: 'while the budget was not counted since it changed',
      pods: three,
      budgets: [budget({ observedGeneration: 0, disruptionsAllowed: 3 })],
      why: "TooManyRequests 1 s: cannot evict pod default/a as it would violate the pod's disruption budget: the disruption budget web is still being processed by the server",
    },
    {
      name: 'when nobody could count',
      pods: three,
      budgets: [
        budget({
          conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message: 'no scale' }],
        }),
      ],
      why: 'the disruption budget web can not be counted: no scale',
    },
    {
      name: 'when several budgets are for the Pod',
      pods: three,
      budgets: [budget({ disruptionsAllowed: 1 }), budget({ disruptionsAllowed: 1 }, {}, 'web2')],
      why: 'InternalError: pod default/a can not be evicted: it has more than one PodDisruptionBudget (web, web2)',
    },
  ])('is refused $name', ({ pods, budgets, why }) => {
    expect(evict(pods, ...budgets)).toContain(why);
  });
});
