import { ClusterRole } from '@navarch/proto';
import { expect, test } from 'vitest';
import { agoMs, live } from '../objects.fixture.ts';
import { reconcileClusterRole } from './reconcile.ts';

const rule = (resource: string) => ({ verbs: ['get'], apiGroups: [''], resources: [resource] });
const part = (name: string, ...resources: string[]) =>
  live(ClusterRole.fromPartial({ metadata: { name, labels: { part: 'yes' } }, rules: resources.map(rule) }));
const whole = (resources: string[], more: object = {}) =>
  live(
    ClusterRole.fromPartial({
      metadata: { name: 'whole', labels: { part: 'yes' }, ...more },
      rules: resources.map(rule),
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: 'yes' } }] },
    }),
  );
const other = live(ClusterRole.fromPartial({ metadata: { name: 'other' }, rules: [rule('secrets')] }));

test.each([
  {
    name: 'gets the rules of all that it selects',
    role: whole([]),
    parts: [part('b', 'b'), part('a', 'a')],
    rules: ['a', 'b'],
  },
  { name: 'has each rule once', role: whole([]), parts: [part('a', 'x'), part('b', 'x', 'y')], rules: ['x', 'y'] },
  { name: 'loses what no part has any more', role: whole(['gone', 'x']), parts: [part('a', 'x')], rules: ['x'] },
  { name: 'is left alone when it is right', role: whole(['x']), parts: [part('a', 'x')], rules: undefined },
  {
    name: 'is left alone while it is deleted',
    role: whole([], { deletionTimestamp: agoMs(5) }),
    parts: [part('a', 'x')],
    rules: undefined,
  },
  { name: 'is left alone when it is not put together', role: other, parts: [part('a', 'x')], rules: undefined },
])('a role $name', ({ role, parts, rules }) => {
  const { writes } = reconcileClusterRole(role, [role, other, ...parts]);
  const written = writes.flatMap((write) => ('object' in write ? (write.object as ClusterRole).rules : []));
  expect(writes.length === 0 ? undefined : written.flatMap(({ resources }) => resources)).toEqual(rules);
});
