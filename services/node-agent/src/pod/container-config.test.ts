import { expect, test } from 'vitest';
import { hostNames, hostname } from './container-config.ts';
import { aPod } from './pod.fixture.ts';

test.each([
  { name: 'its name', spec: {}, names: ['web'] },
  { name: 'its host name', spec: { hostname: 'first' }, names: ['first'] },
  {
    name: 'first its DNS name where a Service gives it one',
    spec: { hostname: 'db-0', subdomain: 'db' },
    names: ['db-0.db.default.svc.cluster.local', 'db-0'],
  },
])('a Pod calls itself by $name', ({ spec, names }) => {
  expect(hostNames(aPod(spec), { clusterDomain: 'cluster.local' })).toEqual(names);
});

const cluster = { clusterDomain: 'cluster.local' };
const named = { hostname: 'db-0', subdomain: 'db' };

test.each([
  { name: 'its name', spec: {}, is: 'web' },
  { name: 'the first part of its DNS name', spec: named, is: 'db-0' },
  {
    name: 'all of its DNS name where that is asked for',
    spec: { ...named, setHostnameAsFqdn: true },
    is: 'db-0.db.default.svc.cluster.local',
  },
  { name: 'its name all the same where it has no DNS name', spec: { setHostnameAsFqdn: true }, is: 'web' },
])('a Pod’s host name is $name', ({ spec, is }) => {
  expect(hostname(aPod(spec), cluster)).toBe(is);
});

test('a host name that Linux does not take is refused, with its length', () => {
  const spec = { hostname: 'a'.repeat(40), subdomain: 'db', setHostnameAsFqdn: true };
  expect(() => hostname(aPod(spec), cluster)).toThrow(/has 69 characters, and a host name at most 64/);
});
