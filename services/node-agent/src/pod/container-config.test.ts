import { expect, test } from 'vitest';
import { hostNames } from './container-config.ts';
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
