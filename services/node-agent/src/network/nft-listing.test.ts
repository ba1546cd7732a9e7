import { expect, test } from 'vitest';
import { listedTable } from './nft-listing.ts';

test('a listing says which chains and elements are there, and how many rules', () => {
  const table = { family: 'ip', table: 'navarch' };
  const listing = {
    nftables: [
      { metainfo: { version: '1.0.6' } },
      { table: { family: 'ip', name: 'navarch', handle: 2 } },
      {
        map: {
          ...table,
          name: 'cluster-ips',
          type: ['ipv4_addr', 'inet_proto', 'inet_service'],
          map: 'verdict',
          elem: [[{ concat: ['10.96.0.20', 'tcp', 80] }, { goto: { target: 'svc-1' } }]],
        },
      },
      { map: { ...table, name: 'node-ports', type: ['inet_proto', 'inet_service'], map: 'verdict' } },
      { set: { ...table, name: 'refused-ports', type: 'inet_service', elem: [{ concat: ['udp', 443] }] } },
      { chain: { ...table, name: 'svc-1', handle: 1 } },
      { chain: { ...table, name: 'output', type: 'nat', hook: 'output', prio: -100, policy: 'accept' } },
      { rule: { ...table, chain: 'output', expr: [{ jump: { target: 'services' } }] } },
    ],
  };
  expect(listedTable(JSON.stringify(listing))).toEqual({
    chains: new Map([
      ['svc-1', { base: undefined, rules: undefined, count: 0 }],
      ['output', { base: { type: 'nat', hook: 'output', prio: -100 }, rules: undefined, count: 1 }],
    ]),
    sets: new Map([
      [
        'cluster-ips',
        {
          type: ['ipv4_addr', 'inet_proto', 'inet_service'],
          map: true,
          elements: new Map([['10.96.0.20 tcp 80', { key: ['10.96.0.20', 'tcp', 80], target: 'svc-1' }]]),
        },
      ],
      ['node-ports', { type: ['inet_proto', 'inet_service'], map: true, elements: new Map() }],
      [
        'refused-ports',
        {
          type: ['inet_service'],
          map: false,
          elements: new Map([['udp 443', { key: ['udp', 443], target: undefined }]]),
        },
      ],
    ]),
  });
});
