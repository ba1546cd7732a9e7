import type { Pod } from '@navarch/proto';
import { expect, test } from 'vitest';
import { serviceAccounts } from './service-accounts.ts';
import { type Manifest, refusalOf, step, viewOf } from './step.fixture.ts';

const pod = (spec: object): Manifest => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec });
const account = (name: string): Manifest => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } });
const admitted = (spec: object, before?: object) => {
  const asked = step(viewOf(account('robot')), pod(spec), before && pod(before));
  const refusal = refusalOf(() => serviceAccounts.admit?.(asked));
  return refusal?.reason ?? (asked.next as Pod).spec?.serviceAccountName;
};

test.each([
  { name: 'that names none gets the default one, there or not', spec: {}, is: 'default' },
  { name: 'keeps the one it names', spec: { serviceAccountName: 'robot' }, is: 'robot' },
  { name: 'is refused when there is none of that name', spec: { serviceAccountName: 'nobody' }, is: 'Forbidden' },
  {
    name: 'that exists keeps its own when a manifest names none',
    spec: {},
    before: { serviceAccountName: 'gone' },
    is: 'gone',
  },
])('a Pod $name', ({ spec, before, is }) => {
  expect(admitted(spec, before)).toBe(is);
});
