import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonObject } from '../encode.ts';
import { messageSchema } from '../schema.ts';
import { threeWayMerge } from './three-way-merge.ts';

const podSpec = messageSchema('navarch.core.v1.PodSpec');
const merge = (last: JsonObject, live: JsonObject, want: JsonObject) => threeWayMerge(last, live, want, podSpec);

test.each<{ name: string; last: JsonObject; live: JsonObject; want: JsonObject; result: JsonObject }>([
  {
    name: 'keeps what others set',
    last: { hostname: 'a' },
    live: { hostname: 'a', nodeName: 'n1' },
    want: { hostname: 'b' },
    result: { hostname: 'b', nodeName: 'n1' },
  },
  {
    name: 'removes what the manifest said before and says no more',
    last: { hostname: 'a', nodeSelector: { disk: 'ssd', zone: 'z' } },
    live: { hostname: 'a', nodeSelector: { disk: 'ssd', zone: 'z', by: 'other' } },
    want: { nodeSelector: { disk: 'ssd' } },
    result: { nodeSelector: { disk: 'ssd', by: 'other' } },
  },
  {
    name: 'merges containers by name: a sidecar that somebody added stays',
    last: {
      containers: [
        { name: 'a', image: 'x' },
        { name: 'old', image: 'y' },
      ],
    },
    live: {
      containers: [
        { name: 'a', image: 'x', imagePullPolicy: 'Always' },
        { name: 'old', image: 'y' },
        { name: 'sidecar' },
      ],
    },
    want: { containers: [{ name: 'a', image: 'z' }] },
    result: { containers: [{ name: 'a', image: 'z', imagePullPolicy: 'Always' }, { name: 'sidecar' }] },
  },
  {
    name: 'replaces a list whose keys are not unique',
    last: {},
    live: { containers: [{ name: 'a', ports: [{ containerPort: 53, protocol: 'TCP' }] }] },
    want: {
      containers: [
        {
          name: 'a',
          ports: [
            { containerPort: 53, protocol: 'TCP' },
            { containerPort: 53, protocol: 'UDP' },
          ],
        },
      ],
    },
    result: {
      containers: [
        {
          name: 'a',
          ports: [
            { containerPort: 53, protocol: 'TCP' },
            { containerPort: 53, protocol: 'UDP' },
          ],
        },
      ],
    },
  },
  { name: 'null removes', last: {}, live: { hostname: 'a' }, want: { hostname: null }, result: {} },
])('$name', ({ last, live, want, result }) => expect(merge(last, live, want)).toEqual(result));

const container = fc.record(
  { name: fc.constantFrom('a', 'b', 'c'), image: fc.constantFrom('x', 'y') },
  { requiredKeys: ['name'] },
);
const spec = fc.record(
  {
    hostname: fc.constantFrom('h1', 'h2'),
    nodeSelector: fc.dictionary(fc.constantFrom('k1', 'k2', 'k3'), fc.constantFrom('v1', 'v2'), {
      noNullPrototype: true,
    }),
    containers: fc.uniqueArray(container, { selector: ({ name }) => name }),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<JsonObject>; // of JSON

test('applying again changes nothing', () => {
  fc.assert(
    fc.property(spec, spec, spec, (last, live, want) => {
      const once = merge(last, live, want);
      expect(merge(want, once, want)).toEqual(once);
    }),
  );
});

test('what the manifest says holds, and a first apply removes nothing', () => {
  fc.assert(
    fc.property(spec, spec, (live, want) => {
      const result = merge({}, live, want);
      expect(result).toMatchObject(JSON.parse(JSON.stringify({ ...want, containers: undefined })) as object);
      for (const key of Object.keys(live)) expect(result).toHaveProperty(key);
    }),
  );
});

test('with nothing applied before and nothing live, the result is the manifest', () => {
  fc.assert(
    fc.property(spec, (want) => {
      expect(merge({}, {}, want)).toEqual(want);
    }),
  );
});
