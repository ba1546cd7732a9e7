import { endpointSlice, service } from '@navarch/kinds';
import { EndpointSlice, Service } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { FixedInformers } from '../informers.fixture.ts';
import { zoneView } from './server.ts';
import { lookUp } from './zone.ts';

const informers = new FixedInformers();
const view = zoneView({
  services: informers.lister(service),
  endpointSlices: informers.lister(endpointSlice),
  serviceCidr: '10.96.0.0/16',
  clusterCidr: '10.244.0.0/16',
});
informers.set(service, [
  Service.fromPartial({
    metadata: { name: 'web', namespace: 'default' },
    spec: { clusterIp: '10.96.0.20', ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
  }),
  Service.fromPartial({
    metadata: { name: 'db', namespace: 'shop' },
    spec: { clusterIp: 'None', ports: [{ name: 'sql', port: 5432 }] },
  }),
  Service.fromPartial({
    metadata: { name: 'elsewhere', namespace: 'default' },
    spec: { type: 'ExternalName', externalName: 'example.com' },
  }),
]);
informers.set(endpointSlice, [
  EndpointSlice.fromPartial({
    metadata: { name: 'db-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'db' } },
    endpoints: [
      { addresses: ['10.244.0.5'], conditions: { ready: true }, hostname: 'first' },
      { addresses: ['10.244.1.6'], conditions: { ready: true } },
      { addresses: ['10.244.1.7'], conditions: { ready: false } },
    ],
    ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }],
  }),
]);

const ask = (name: string, type = 'A') => {
  const answer = lookUp(name, type, view);
  return answer.type === 'found'
    ? answer.answers.map((record) => ('data' in record ? record.data : record.type))
    : answer.type;
};

describe('names', () => {
  test.each([
    { name: 'web.default.svc.cluster.local', type: 'A', answer: ['10.96.0.20'] },
    { name: 'WEB.Default.svc.cluster.LOCAL', type: 'A', answer: ['10.96.0.20'] },
    { name: 'web.default.svc.cluster.local', type: 'AAAA', answer: [] },
    { name: 'db.shop.svc.cluster.local', type: 'A', answer: ['10.244.0.5', '10.244.1.6'] },
    { name: 'first.db.shop.svc.cluster.local', type: 'A', answer: ['10.244.0.5'] },
    { name: '10-244-1-6.db.shop.svc.cluster.local', type: 'A', answer: ['10.244.1.6'] },
    { name: 'second.db.shop.svc.cluster.local', type: 'A', answer: 'missing' },
    {
      name: '_http._tcp.web.default.svc.cluster.local',
      type: 'SRV',
      answer: [{ priority: 0, weight: 100, port: 80, target: 'web.default.svc.cluster.local' }],
    },
    { name: '_http._udp.web.default.svc.cluster.local', type: 'SRV', answer: 'missing' },
    {
      name: '_sql._tcp.db.shop.svc.cluster.local',
      type: 'SRV',
      answer: [
        { priority: 0, weight: 100, port: 5432, target: 'first.db.shop.svc.cluster.local' },
        { priority: 0, weight: 100, port: 5432, target: '10-244-1-6.db.shop.svc.cluster.local' },
      ],
    },
    { name: 'elsewhere.default.svc.cluster.local', type: 'A', answer: ['example.com'] },
    { name: '10-244-0-5.shop.pod.cluster.local', type: 'A', answer: ['10.244.0.5'] },
    { name: '8-8-8-8.shop.pod.cluster.local', type: 'A', answer: 'missing' },
    { name: '20.0.96.10.in-addr.arpa', type: 'PTR', answer: ['web.default.svc.cluster.local'] },
    { name: '5.0.244.10.in-addr.arpa', type: 'PTR', answer: ['first.db.shop.svc.cluster.local'] },
    { name: '99.0.96.10.in-addr.arpa', type: 'PTR', answer: 'missing' },
    { name: '8.8.8.8.in-addr.arpa', type: 'PTR', answer: 'foreign' },
    { name: 'web.nowhere.svc.cluster.local', type: 'A', answer: 'missing' },
    { name: 'default.svc.cluster.local', type: 'A', answer: [] },
    { name: 'nowhere.svc.cluster.local', type: 'A', answer: 'missing' },
    { name: 'cluster.local', type: 'A', answer: [] },
    { name: 'example.com', type: 'A', answer: 'foreign' },
    { name: 'notcluster.local', type: 'A', answer: 'foreign' },
  ])('$type $name', ({ name, type, answer }) => {
    expect(ask(name, type)).toEqual(answer);
  });
});
