import { endpointSlice, service } from '@navarch/kinds';
import { Service } from '@navarch/proto';
import { encode } from 'dns-packet';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { FixedInformers } from '../informers.fixture.ts';
import { Forwarder } from './forwarder.ts';
import { answer } from './resolver.ts';
import { zoneView } from './server.ts';

const informers = new FixedInformers();
const view = zoneView({
  services: informers.lister(service),
  endpointSlices: informers.lister(endpointSlice),
  serviceCidr: '10.96.0.0/16',
  clusterCidr: '10.244.0.0/16',
});
informers.set(service, [
  Service.fromPartial({ metadata: { name: 'web', namespace: 'default' }, spec: { clusterIp: '10.96.0.20' } }),
]);
const forwarder = new Forwarder({ nameServers: async () => [] });
const good = encode({ type: 'query', id: 1, questions: [{ name: 'web.default.svc.cluster.local', type: 'A' }] });

test('whatever bytes arrive, there is an answer with their id, or none', async () => {
  const damaged = fc
    .array(fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 })), { maxLength: 6 })
    .map((changes) => {
      const bytes = Buffer.from(good);
      for (const [at, byte] of changes) bytes[at] = byte;
      return bytes;
    });
  const garbage = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes));
  await fc.assert(
    fc.asyncProperty(fc.oneof(damaged, garbage), fc.constantFrom('udp', 'tcp'), async (bytes, transport) => {
      const { reply } = await answer(bytes, transport, view, forwarder);
      expect(reply === undefined || reply.readUInt16BE(0) === bytes.readUInt16BE(0)).toBe(true);
    }),
    { numRuns: 3000 },
  );
});
