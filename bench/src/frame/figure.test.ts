import { expect, test } from 'vitest';
import { type Figure, record } from './figure.ts';

const figure = (more: Partial<Figure>): Figure => ({ name: 'put', value: 120, unit: 'ms', ...more });

test.each([
  { name: 'no goal, no limit', figure: figure({}), ratio: null, goal: null, met: null },
  { name: 'under an upper goal', figure: figure({ goal: { atMost: 120 } }), ratio: null, goal: '≤ 120', met: true },
  { name: 'over an upper goal', figure: figure({ goal: { atMost: 119 } }), ratio: null, goal: '≤ 119', met: false },
  { name: 'under a lower goal', figure: figure({ goal: { atLeast: 121 } }), ratio: null, goal: '≥ 121', met: false },
  {
    name: 'a ratio to the limit',
    figure: figure({ limit: 100, goal: { ratioAtMost: 1.1 } }),
    ratio: 1.2,
    goal: 'ratio ≤ 1.1',
    met: false,
  },
  {
    name: 'a ratio that should be large',
    figure: figure({ limit: 150, goal: { ratioAtLeast: 0.5 } }),
    ratio: 0.8,
    goal: 'ratio ≥ 0.5',
    met: true,
  },
  {
    name: 'a ratio goal without a limit is not met',
    figure: figure({ goal: { ratioAtLeast: 0.5 } }),
    ratio: null,
    goal: 'ratio ≥ 0.5',
    met: false,
  },
])('$name', ({ figure, ratio, goal, met }) => {
  expect(record(figure)).toMatchObject({ name: 'put', unit: 'ms', value: 120, ratio, goal, met });
});
