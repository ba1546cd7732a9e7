import { expect, test } from 'vitest';
import { hostsFile, ownHosts } from './hosts-file.ts';
import { aPod } from './pod.fixture.ts';

const own = '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n10.244.0.5\tdb-0.db db-0\n';
const hostAliases = [
  { ip: '192.0.2.7', hostnames: ['ledger.local', 'ledger'] },
  { ip: '127.0.0.1', hostnames: ['bar.local'] },
];
const added = '192.0.2.7\tledger.local ledger\n127.0.0.1\tbar.local\n';

test('a Pod knows itself by name', () => {
  expect(ownHosts('10.244.0.5', ['db-0.db', 'db-0'])).toBe(own);
});

test.each([
  { name: 'none', spec: {}, base: own, file: own },
  { name: 'behind its own lines', spec: { hostAliases }, base: own, file: own + added },
  {
    name: 'behind the node’s, whose last line may not end',
    spec: { hostAliases },
    base: '192.0.2.1\tn1',
    file: `192.0.2.1\tn1\n${added}`,
  },
])('aliases: $name', ({ spec, base, file }) => {
  expect(hostsFile(aPod(spec), base)).toBe(file);
});
