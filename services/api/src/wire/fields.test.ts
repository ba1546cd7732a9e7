import { pod } from '@navarch/kinds';
import { Pod } from '@navarch/proto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { fieldBytes, labelsOf, ownersOf, textReader, uidOf } from './fields.ts';

const anyPod = fc
  .record({
    nodeName: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
    uid: fc.uuid(),
    owners: fc.array(fc.record({ uid: fc.uuid(), name: fc.string(), blockOwnerDeletion: fc.boolean() }), {
      maxLength: 3,
    }),
    labels: fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })),
    image: fc.string({ maxLength: 300 }),
  })
  .map(({ nodeName, uid, labels, owners, image }) =>
    Pod.fromJSON({
      metadata: { uid, labels, ownerReferences: owners },
      ...(nodeName === undefined ? {} : { spec: { nodeName, containers: [{ image }], hostNetwork: true } }),
      status: { phase: 'Running' },
    }),
  );
const nodeName = textReader(pod.schema, 'spec.nodeName');
const phase = textReader(pod.schema, 'status.phase');

test('what is read from the bytes is what decoding gives', () => {
  fc.assert(
    fc.property(anyPod, (value) => {
      const bytes = Pod.encode(value).finish();
      const decoded = Pod.decode(bytes);
      expect(nodeName(bytes)).toBe(decoded.spec?.nodeName ?? '');
      expect(phase(bytes)).toBe('Running');
      expect({ ...labelsOf(bytes) }).toEqual({ ...decoded.metadata?.labels });
      expect(uidOf(bytes)).toBe(decoded.metadata?.uid);
      expect(ownersOf(bytes)).toEqual(decoded.metadata?.ownerReferences);
    }),
  );
});

test('only fields that are in the encoded form can be read', () => {
  expect(() => textReader(pod.schema, 'spec.nodename')).toThrow('Pod has no field spec.nodename');
  expect(fieldBytes(new Uint8Array(), 1)).toBeUndefined();
});
