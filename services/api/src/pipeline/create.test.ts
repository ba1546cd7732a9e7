import { configMap as configMapKind, namespace as namespaceKind } from '@navarch/kinds';
import { ApiError, generatedName } from '@navarch/machinery';
import { ConfigMap, Namespace } from '@navarch/proto';
import { expect, test } from 'vitest';
import { CachedObject } from '../cache/cached-object.ts';
import { storageKey } from '../storage/keys.ts';
import { createWrite } from './create.ts';
import { encodeBody, type WritableObject } from './object-rules.ts';
import type { Circumstances } from './write.ts';

/** Gives these numbers, one a name of five letters. */
const numbers = (...values: number[]) => {
  let calls = 0;
  return () => values[Math.min(Math.floor(calls++ / 5), values.length - 1)] ?? 0;
};
const nameFor = (value: number) => generatedName('web-', () => value);

function make(random: () => number, taken: readonly string[]) {
  const home = cached(namespaceKind, Namespace.fromJSON({ metadata: { name: 'default' } }), 3n);
  const circumstances = {
    view: {
      get: (kind: unknown, _: string, name: string) => {
        if (kind === namespaceKind) return home;
        return taken.includes(name) ? cached(configMapKind, configMap(name), 5n) : undefined;
      },
      list: () => [],
    },
    now: '2026-01-01T00:00:00Z',
    random,
  } as unknown as Circumstances; // the kind needs nothing else
  const object = ConfigMap.fromJSON({ metadata: { namespace: 'default', generateName: 'web-' } }) as WritableObject;
  return createWrite({ kind: configMapKind, object, revision: 0n, manager: '' }).prepare(circumstances);
}

test('a generated name that is taken is not used, and another is tried', () => {
  const taken = [nameFor(0), nameFor(0.3)];
  expect(make(numbers(0, 0.3, 0.6), taken).key).toBe(
    storageKey(configMapKind, { namespace: 'default', name: nameFor(0.6) }),
  );
});

test('eight names that are taken are enough', () => {
  expect(() => make(() => 0, [nameFor(0)])).toThrow(
    expect.objectContaining({
      reason: 'AlreadyExists' satisfies ApiError['reason'],
      message: expect.stringContaining('"web-"') as string,
    }),
  );
});

const configMap = (name: string) => ConfigMap.fromJSON({ metadata: { name, namespace: 'default' } });

function cached(kind: CachedObject['kind'], object: ConfigMap | Namespace, revision: bigint): CachedObject {
  const { namespace = '', name = '' } = object.metadata ?? {};
  const key = storageKey(kind, { namespace, name });
  return new CachedObject({ kind, key, namespace, name, revision }, encodeBody(kind, object as WritableObject));
}
