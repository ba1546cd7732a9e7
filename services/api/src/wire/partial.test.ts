import { pod as podKind } from '@navarch/kinds';
import { ObjectMeta, Pod, Resource } from '@navarch/proto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodePartial } from './partial.ts';

test('a partial object is what the generated encoder makes of the metadata, and of the kind', () => {
  const labels = fc.dictionary(fc.string(), fc.string());
  const given = fc.record({ name: fc.string(), image: fc.string({ maxLength: 300 }), labels, bare: fc.boolean() });
  fc.assert(
    fc.property(given, fc.bigInt({ min: 0n, max: 2n ** 60n }), ({ name, image, labels, bare }, revision) => {
      const metadata = bare ? undefined : ObjectMeta.fromJSON({ name, labels });
      const pod = Pod.fromPartial({ spec: { containers: [{ image }] } });
      const resource = (object: Resource['object']): Uint8Array => Resource.encode({ revision: 0n, object }).finish();
      const body = resource({ $case: 'pod', value: { ...pod, metadata } });
      const value = { metadata: metadata ?? ObjectMeta.fromJSON({}), apiVersion: 'v1', kind: 'Pod' };
      const object = { $case: 'partial' as const, value };
      expect(encodePartial(revision, body, podKind)).toEqual(
        Buffer.from(Resource.encode({ revision, object }).finish()),
      );
    }),
  );
});
