import { PolicyRule } from '@navarch/proto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allows, type Attributes, uncovered } from './rules.ts';

const rule = (fields: object) => PolicyRule.fromJSON(fields);
/** `get pods/log in core named web`. */
const wanted = (verb: string, full: string, group = '', name = ''): Attributes => {
  const [resource = '', subresource = ''] = full.split('/');
  return { verb, group, resource, subresource, namespace: 'shop', name };
};

describe('a rule', () => {
  const pods = rule({ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods', 'pods/log'] });
  const anything = rule({ verbs: ['*'], apiGroups: ['*'], resources: ['*'] });
  const scales = rule({ verbs: ['update'], apiGroups: ['*'], resources: ['*/scale'] });
  const named = rule({ verbs: ['get', 'delete'], apiGroups: [''], resources: ['secrets'], resourceNames: ['tls'] });
  const paths = rule({ verbs: ['get'], nonResourceURLs: ['/healthz', '/metrics/*'] });

  test.each([
    { name: 'allows what it names', rule: pods, wanted: wanted('get', 'pods'), allowed: true },
    { name: 'allows no other verb', rule: pods, wanted: wanted('delete', 'pods'), allowed: false },
    { name: 'allows no other group', rule: pods, wanted: wanted('get', 'pods', 'metrics.k8s.io'), allowed: false },
    { name: 'allows a subresource that it names', rule: pods, wanted: wanted('get', 'pods/log'), allowed: true },
    { name: 'allows no other subresource', rule: pods, wanted: wanted('get', 'pods/exec'), allowed: false },
    { name: 'of everything allows subresources', rule: anything, wanted: wanted('use', 'a/b', 'c'), allowed: true },
    { name: 'of resources allows no path', rule: anything, wanted: { verb: 'get', path: '/' }, allowed: false },
    { name: 'of */scale', rule: scales, wanted: wanted('update', 'deployments/scale', 'apps'), allowed: true },
    {
      name: 'of */scale not the object',
      rule: scales,
      wanted: wanted('update', 'deployments', 'apps'),
      allowed: false,
    },
    { name: 'with names allows these', rule: named, wanted: wanted('get', 'secrets', '', 'tls'), allowed: true },
    { name: 'with names no others', rule: named, wanted: wanted('get', 'secrets', '', 'db'), allowed: false },
    { name: 'with names nothing without one', rule: named, wanted: wanted('get', 'secrets'), allowed: false },
    { name: 'of paths allows one', rule: paths, wanted: { verb: 'get', path: '/healthz' }, allowed: true },
    { name: 'of paths not what is below', rule: paths, wanted: { verb: 'get', path: '/healthz/x' }, allowed: false },
    { name: 'of paths with a star', rule: paths, wanted: { verb: 'get', path: '/metrics/a/b' }, allowed: true },
    { name: 'of paths no resource', rule: paths, wanted: wanted('get', 'healthz'), allowed: false },
  ] as const)('$name', ({ rule, wanted, allowed }) => {
    expect(allows(rule, wanted)).toBe(allowed);
  });
});

describe('what is not covered', () => {
  test.each([
    {
      name: 'the same is',
      held: { verbs: ['get'], resources: ['pods'] },
      wanted: { verbs: ['get'], resources: ['pods'] },
      left: 0,
    },
    {
      name: 'more verbs are not',
      held: { verbs: ['get'], resources: ['pods'] },
      wanted: { verbs: ['get', 'list'], resources: ['pods'] },
      left: 1,
    },
    {
      name: 'a star is only by a star',
      held: { verbs: ['get', 'list'], resources: ['pods'] },
      wanted: { verbs: ['*'], resources: ['pods'] },
      left: 1,
    },
    {
      name: 'one name is by all',
      held: { verbs: ['get'], resources: ['pods'] },
      wanted: { verbs: ['get'], resources: ['pods'], resourceNames: ['a'] },
      left: 0,
    },
    {
      name: 'all names are not by one',
      held: { verbs: ['get'], resources: ['pods'], resourceNames: ['a'] },
      wanted: { verbs: ['get'], resources: ['pods'] },
      left: 1,
    },
    {
      name: 'a subresource is by */sub',
      held: { verbs: ['get'], resources: ['*/log'] },
      wanted: { verbs: ['get'], resources: ['pods/log'] },
      left: 0,
    },
    {
      name: 'paths are by prefixes',
      held: { verbs: ['get'], nonResourceURLs: ['/api*'] },
      wanted: { verbs: ['get'], nonResourceURLs: ['/apis/*', '/metrics'] },
      left: 1,
    },
  ])('$name', ({ held, wanted, left }) => {
    const core = (fields: object) => rule({ ...('resources' in fields ? { apiGroups: [''] } : {}), ...fields });
    expect(uncovered([core(held)], [core(wanted)])).toHaveLength(left);
  });

  const some = <T>(...values: T[]) => fc.uniqueArray(fc.constantFrom(...values), { minLength: 1 });
  const rules = fc.array(
    fc
      .record({
        verbs: some('get', 'list', 'delete', '*'),
        apiGroups: some('', 'apps', '*'),
        resources: some('pods', 'pods/log', 'deployments', '*/scale', '*'),
        resourceNames: fc.uniqueArray(fc.constantFrom('a', 'b')),
      })
      .map(rule),
    { maxLength: 3 },
  );
  const requests = fc.tuple(
    fc.constantFrom('get', 'list', 'delete', 'patch'),
    fc.constantFrom('pods', 'pods/log', 'deployments', 'deployments/scale'),
    fc.constantFrom('', 'apps'),
    fc.constantFrom('', 'a', 'b'),
  );

  test('whoever covers all of a role may do all that it allows', () => {
    fc.assert(
      fc.property(rules, rules, requests, (held, wantedRules, [verb, full, group, name]) => {
        fc.pre(uncovered(held, wantedRules).length === 0);
        const attributes = wanted(verb, full, group, name);
        const may = (all: readonly PolicyRule[]) => all.some((each) => allows(each, attributes));
        expect(may(held) || !may(wantedRules)).toBe(true);
      }),
    );
  });
});
