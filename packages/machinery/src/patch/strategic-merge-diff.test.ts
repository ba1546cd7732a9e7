import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json, JsonObject } from '../encode.ts';
import { type FieldSchema, type MessageSchema, messageSchema } from '../schema.ts';
import { isJsonObject } from './merge-patch.ts';
import { strategicMerge } from './strategic-merge.ts';

const some = { requiredKeys: [] };
const text = fc.constantFrom('a', 'b', 'c', 'd');
const named = (more: Record<string, fc.Arbitrary<unknown>>) =>
  fc.uniqueArray(fc.record({ name: text, ...more }, { requiredKeys: ['name'] }), {
    selector: ({ name }) => name,
    maxLength: 4,
  });
const env = named({ value: text });
const resources = fc.record({ limits: fc.dictionary(text, text), requests: fc.dictionary(text, text) }, some);
const spec = fc.record(
  {
    hostNetwork: fc.boolean(),
    nodeSelector: fc.dictionary(text, text, { maxKeys: 3 }),
    securityContext: fc.record({ runAsUser: fc.nat(3), runAsGroup: fc.nat(3) }, some),
    containers: named({ image: text, args: fc.array(text, { maxLength: 3 }), env, resources }),
  },
  some,
);
const pod: fc.Arbitrary<JsonObject> = fc.record(
  {
    metadata: fc.record({ labels: fc.dictionary(text, text), finalizers: fc.uniqueArray(text) }, some),
    spec,
  },
  { requiredKeys: ['metadata', 'spec'] },
) as fc.Arbitrary<JsonObject>; // JSON, though its type is narrower

const schema = messageSchema('navarch.core.v1.Pod');

test('the difference of two objects, written with all directives, leads from one to the other', () => {
  fc.assert(
    fc.property(pod, pod, (before, after) => {
      const patch = objectDifference(schema, before, after);
      expect(strategicMerge(schema, before, patch)).toEqual(after);
      // And again: what is there already is not added twice.
      expect(strategicMerge(schema, after, patch)).toEqual(after);
    }),
  );
});

test('$retainKeys leaves nothing but what it names', () => {
  fc.assert(
    fc.property(
      pod,
      pod,
      fc.subarray(['hostNetwork', 'nodeSelector', 'securityContext', 'containers']),
      (a, b, kept) => {
        const changes = Object.fromEntries(Object.entries(b['spec'] ?? {}).filter(([name]) => kept.includes(name)));
        const result = strategicMerge(schema, a, { spec: { $retainKeys: kept, ...changes } });
        const names = Object.keys(result['spec'] ?? {});
        expect(names.filter((name) => !kept.includes(name))).toEqual([]);
      },
    ),
  );
});

test('an empty patch changes nothing, and no patch changes its arguments', () => {
  fc.assert(
    fc.property(pod, pod, (before, patch) => {
      expect(strategicMerge(schema, before, {})).toEqual(before);
      const text = JSON.stringify([before, patch]);
      strategicMerge(schema, before, patch);
      expect(JSON.stringify([before, patch])).toBe(text);
    }),
  );
});

function objectDifference(schema: MessageSchema | undefined, before: JsonObject, after: JsonObject): JsonObject {
  const patch: JsonObject = {};
  for (const name of Object.keys(before)) if (!(name in after)) patch[name] = null;
  for (const [name, value] of Object.entries(after)) {
    const old = before[name];
    const field = schema?.byJsonName.get(name);
    if (isDeepStrictEqual(old, value)) continue;
    if (isJsonObject(old) && isJsonObject(value)) {
      patch[name] = objectDifference(field?.cardinality === 'one' ? field.message : undefined, old, value);
    } else if (field !== undefined && Array.isArray(old) && Array.isArray(value)) {
      Object.assign(patch, listDifference(field, name, old, value));
    } else patch[name] = value;
  }
  return patch;
}

function listDifference(field: FieldSchema, name: string, before: Json[], after: Json[]): JsonObject {
  const { mergeKey, set } = field.rules;
  if (set) {
    const gone = before.filter((item) => !after.includes(item));
    return {
      [name]: after.filter((item) => !before.includes(item)),
      [`$deleteFromPrimitiveList/${name}`]: gone,
      [`$setElementOrder/${name}`]: after,
    };
  }
  if (mergeKey === undefined) return { [name]: after };
  const keyOf = (item: Json) => (item as JsonObject)[mergeKey] ?? ''; // the generator gives each one
  const old = new Map(before.map((item) => [keyOf(item), item as JsonObject]));
  const gone = before.filter((item) => !after.some((other) => keyOf(other) === keyOf(item)));
  const changed = after
    .filter((item) => !isDeepStrictEqual(old.get(keyOf(item)), item))
    .map((item) => ({
      ...objectDifference(field.message, old.get(keyOf(item)) ?? {}, item as JsonObject),
      [mergeKey]: keyOf(item),
    }));
  return {
    [name]: [...changed, ...gone.map((item) => ({ [mergeKey]: keyOf(item), $patch: 'delete' }))],
    [`$setElementOrder/${name}`]: after.map((item) => ({ [mergeKey]: keyOf(item) })),
  };
}
