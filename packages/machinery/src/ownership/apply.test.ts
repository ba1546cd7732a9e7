import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../encode.ts';
import { serverSideApply } from './apply.ts';
import { fieldsOf } from './compare.ts';
import { difference, fieldPaths, noFields, union } from './field-set.ts';
import { type ManagedFields, managersAfterUpdate, readManagers, writeManagers, type Writer } from './managers.ts';
import { partsOf, type Shape, whole } from './shape.ts';

const record = (fields: Record<string, Shape>): Shape => ({ type: 'fields', field: (name) => fields[name] ?? whole });
const item = record({
  ports: { type: 'list', keys: [{ name: 'port' }, { name: 'protocol', default: 'TCP' }], item: record({}) },
});
const shape = record({
  labels: { type: 'map', item: whole },
  nested: record({ deep: record({}) }),
  items: { type: 'list', keys: [{ name: 'name' }], item },
  finalizers: { type: 'set' },
});

function writerAt(second: number): Writer {
  const now = `2026-01-01T00:00:${String(second).padStart(2, '0')}Z`;
  return { manager: 'me', subresource: '', apiVersion: 'v1', now };
}

/** An object that several people write, as the api would keep it. */
class World {
  object: Json = {};
  managers: readonly ManagedFields[] = [];
  #seconds = 0;

  apply(manager: string, wanted: Json, force = false): string[] {
    const writer = this.#writer(manager);
    const applied = serverSideApply(
      shape,
      { live: this.object, wanted, managers: this.managers },
      { writer, force, normal: (json) => json },
    );
    if (applied.conflicts.length > 0) return applied.conflicts.map(({ path, owner }) => `${path} ${owner.manager}`);
    this.#keep(applied.object, applied.managers);
    return [];
  }

  update(manager: string, after: Json): void {
    const step = { before: this.object, after };
    this.#keep(after, managersAfterUpdate(this.managers, this.#writer(manager), shape, step));
  }

  owned(manager: string): string[] {
    return this.managers.flatMap(({ entry, fields }) =>
      entry.manager === manager ? fieldPaths(fields).map((path) => `${entry.operation} ${path}`) : [],
    );
  }

  #writer(manager: string): Writer {
    return { ...writerAt(this.#seconds++), manager };
  }

  /** Through the form in which it is stored. */
  #keep(object: Json, managers: readonly ManagedFields[]): void {
    this.object = object;
    this.managers = readManagers(writeManagers(managers));
  }
}

describe('applying a manifest', () => {
  test('owns its fields, and takes away what it names no more', () => {
    const world = new World();
    world.apply('a', { replicas: 1, labels: { app: 'web', tier: 'front' } });
    expect(world.owned('a')).toEqual(['Apply replicas', 'Apply labels.app', 'Apply labels.tier']);
    world.apply('a', { replicas: 1, labels: { app: 'web' } });
    expect(world.object).toEqual({ replicas: 1, labels: { app: 'web' } });
    world.apply('a', { replicas: 1 });
    expect(world.object).toEqual({ replicas: 1 });
  });

  test('leaves what another has, and stays with what it shares', () => {
    const world = new World();
    world.apply('a', { labels: { app: 'web', a: '1' } });
    expect(world.apply('b', { labels: { app: 'web', b: '1' } })).toEqual([]);
    world.apply('a', { labels: { a: '1' } });
    expect(world.object).toEqual({ labels: { app: 'web', a: '1', b: '1' } });
    world.apply('b', {});
    expect(world.object).toEqual({ labels: { a: '1' } });
  });

  test('is a conflict where another has another value, and force takes it', () => {
    const world = new World();
    world.apply('a', { replicas: 1, nested: { deep: { x: 1 } } });
    expect(world.apply('b', { replicas: 2, nested: { deep: { x: 2 } } })).toEqual(['replicas a', 'nested.deep.x a']);
    expect(world.object).toEqual({ replicas: 1, nested: { deep: { x: 1 } } });
    expect(world.apply('b', { replicas: 2 }, true)).toEqual([]);
    expect(world.owned('a')).toEqual(['Apply nested.deep.x']);
    world.apply('a', { nested: { deep: { x: 1 } } });
    expect(world.object).toEqual({ replicas: 2, nested: { deep: { x: 1 } } });
  });

  test('is no conflict with what the same manager did by other writes', () => {
    const world = new World();
    world.apply('navctl', { replicas: 1, image: 'x' });
    world.update('navctl', { replicas: 5, image: 'x' });
    expect(world.owned('navctl')).toEqual(['Apply image', 'Update replicas']);
    expect(world.apply('navctl', { image: 'y' })).toEqual([]);
    expect(world.object).toEqual({ replicas: 5, image: 'y' });
    expect(world.apply('navctl', { replicas: 2, image: 'y' })).toEqual([]);
    expect(world.owned('navctl')).toEqual(['Apply replicas', 'Apply image']);
    world.apply('navctl', { image: 'y' });
    expect(world.object).toEqual({ image: 'y' });
  });

  test('is a conflict with what another did by other writes', () => {
    const world = new World();
    world.apply('navctl', { replicas: 1 });
    world.update('', { replicas: 5 });
    expect(world.apply('navctl', { replicas: 1 })).toEqual(['replicas unknown']);
    expect(world.apply('navctl', { replicas: 5 })).toEqual([]);
    expect(world.apply('navctl', {})).toEqual([]);
    expect(world.object).toEqual({ replicas: 5 });
  });

  test('merges lists by key, with all that is in an item', () => {
    const world = new World();
    world.apply('a', { items: [{ name: 'x', image: '1' }] });
    world.apply('b', {
      items: [
        { name: 'y', image: '1' },
        { name: 'x', tty: true },
      ],
    });
    expect(world.object).toEqual({
      items: [
        { name: 'y', image: '1' },
        { name: 'x', image: '1', tty: true },
      ],
    });
    world.apply('a', {});
    expect(world.object).toEqual({
      items: [
        { name: 'y', image: '1' },
        { name: 'x', tty: true },
      ],
    });
  });

  test('tells items apart by several fields, and one of them by its default', () => {
    const world = new World();
    const item = (port: JsonObject) => ({ items: [{ name: 'x', ports: [port] }] });
    world.apply('a', item({ port: 53, target: 1 }));
    world.apply('b', item({ port: 53, protocol: 'UDP', target: 2 }));
    expect(world.apply('c', item({ port: 53, protocol: 'TCP', target: 3 }))).toEqual([
      'items[name="x"].ports[port=53,protocol="TCP"].target a',
    ]);
    world.apply('b', {});
    expect(world.object).toEqual(item({ port: 53, target: 1 }));
  });

  test('takes a field away with the defaults in it, but leaves entries of a map that nobody owns', () => {
    const world = new World();
    world.object = { nested: { deep: { byDefault: 1 } }, labels: { untold: 'x' } };
    world.apply('a', { nested: { deep: { x: 1 } }, labels: { app: 'web' } });
    world.apply('a', {});
    expect(world.object).toEqual({ labels: { untold: 'x' } });
  });

  test('a set belongs to its owners item by item', () => {
    const world = new World();
    world.apply('a', { finalizers: ['x', 'y'] });
    world.apply('b', { finalizers: ['y', 'z'] });
    world.apply('a', {});
    expect(world.object).toEqual({ finalizers: ['y', 'z'] });
  });

  test('a list whose items can not be told apart is one thing', () => {
    const world = new World();
    world.apply('a', { items: [{ name: 'x' }] });
    expect(world.apply('b', { items: [{ name: 'y' }, { name: 'y' }] })).toEqual([
      'items[name="x"] a',
      'items[name="x"].name a',
    ]);
    world.apply('b', { items: [{ name: 'y' }, { name: 'y' }] }, true);
    expect(world.owned('a')).toEqual([]);
    world.apply('b', {});
    expect(world.object).toEqual({});
  });
});

test('is quick however deep an object is, and however long a list', () => {
  const anything: Shape = {
    type: 'map',
    get item() {
      return anything;
    },
  };
  const deep = (value: Json) => Array.from({ length: 90 }).reduce<Json>((inner) => ({ x: inner }), value);
  const options = { writer: writerAt(0), force: true, normal: (json: Json) => json };
  const applied = serverSideApply(anything, { live: deep(1), wanted: deep(2), managers: [] }, options);
  expect(applied.object).toEqual(deep(2));
  const many = (from: number) => ({ items: Array.from({ length: 20_000 }, (_, i) => ({ name: `${from + i}` })) });
  const state = { live: many(0), wanted: many(10_000), managers: [] };
  const all = { items: Array.from({ length: 30_000 }, (_, i) => ({ name: `${i}` })) };
  expect(JSON.stringify(serverSideApply(shape, state, options).object)).toBe(JSON.stringify(all));
}, 30_000);

test('the eleventh that updates an object makes one of the two oldest', () => {
  const world = new World();
  for (let i = 0; i < 15; i++) world.update(`m${i}`, { ...(world.object as JsonObject), [`f${i}`]: i });
  expect(world.managers).toHaveLength(10);
  expect(world.owned('ancient-changes')).toHaveLength(6);
});

const value = fc.constantFrom<Json[]>(1, 2, 'x');
const some = { requiredKeys: [] };
const name = fc.constantFrom('p', 'q', 'r');
const port = fc.record(
  { port: fc.constantFrom(1, 2), protocol: fc.constantFrom('TCP', 'UDP'), target: value },
  { requiredKeys: ['port'] },
);
const uniquePort = {
  selector: ({ port, protocol }: { port: number; protocol?: string }) => `${port} ${protocol ?? 'TCP'}`,
  maxLength: 3,
};
const anyManifest: fc.Arbitrary<Json> = fc.record(
  {
    replicas: value,
    atomic: fc.array(value, { maxLength: 2 }),
    labels: fc.dictionary(name, value, { maxKeys: 3 }),
    nested: fc.record({ x: value, deep: fc.record({ y: value, z: value }, some) }, some),
    items: fc.uniqueArray(
      fc.record({ name, image: value, ports: fc.uniqueArray(port, uniquePort) }, { requiredKeys: ['name'] }),
      { selector: (item) => item.name, maxLength: 3 },
    ),
    finalizers: fc.uniqueArray(name),
  },
  some,
) as fc.Arbitrary<Json>; // JSON, though its type is narrower
const manager = fc.constantFrom('a', 'b', 'c');
const step = fc.record({ manager, manifest: anyManifest, how: fc.constantFrom('apply', 'force', 'update') });
const story = fc.array(step, { maxLength: 6 });

function after(steps: readonly { manager: string; manifest: Json; how: string }[]): World {
  const world = new World();
  for (const { manager, manifest, how } of steps) {
    if (how === 'update') world.update(manager, manifest);
    else world.apply(manager, manifest, how === 'force');
  }
  return world;
}

/** Whether every leaf of `wanted` is in `object`. */
function holds(shape: Shape, object: Json | undefined, wanted: Json): boolean {
  const parts = partsOf(shape, wanted);
  const there = object === undefined ? undefined : partsOf(shape, object);
  if (parts === undefined || there === undefined) return JSON.stringify(object) === JSON.stringify(wanted);
  return [...parts].every(([element, part]) => holds(part.shape, there.get(element)?.value, part.value));
}

describe('whatever happened before', () => {
  test('what is applied with force holds', () => {
    fc.assert(
      fc.property(story, manager, anyManifest, (steps, manager, manifest) => {
        const world = after(steps);
        expect(world.apply(manager, manifest, true)).toEqual([]);
        expect(holds(shape, world.object, manifest)).toBe(true);
      }),
    );
  });

  test('an apply done twice is done once, to the last byte', () => {
    fc.assert(
      fc.property(story, manager, anyManifest, (steps, manager, manifest) => {
        const world = after(steps);
        world.apply(manager, manifest, true);
        const once = JSON.stringify([world.object, writeManagers(world.managers)]);
        expect(world.apply(manager, manifest)).toEqual([]);
        expect(JSON.stringify([world.object, writeManagers(world.managers)])).toBe(once);
      }),
    );
  });

  test('an apply either is in conflict and changes nothing, or leaves every value that others have', () => {
    fc.assert(
      fc.property(story, manager, anyManifest, (steps, manager, manifest) => {
        const world = after(steps);
        const before = JSON.stringify(world.object);
        const others = () =>
          world.managers.filter(({ entry }) => entry.manager !== manager).map(({ entry }) => JSON.stringify(entry));
        const owned = others();
        const conflicts = world.apply(manager, manifest);
        expect(conflicts.length > 0 && JSON.stringify(world.object) !== before).toBe(false);
        expect(others()).toEqual(owned);
      }),
    );
  });

  test('every field that was applied has an owner, and goes with the last one', () => {
    const applies = fc.array(
      step.map((step) => ({ ...step, how: step.how === 'update' ? 'apply' : step.how })),
      {
        maxLength: 6,
      },
    );
    fc.assert(
      fc.property(applies, (steps) => {
        const world = after(steps);
        const owned = world.managers.reduce((all, { fields }) => union(all, fields), noFields);
        const filled = world.managers.length === 0 ? noFields : fieldsOf(shape, world.object);
        expect(fieldPaths(difference(filled, owned)).filter((path) => !isKey(path, fieldPaths(owned)))).toEqual([]);
        for (const name of ['a', 'b', 'c']) world.apply(name, {}, true);
        expect(world.object).toEqual({});
      }),
    );
  });
});

/** An item stays, with what tells it from the others, as long as somebody has something in it. */
function isKey(path: string, owned: readonly string[]): boolean {
  return path.includes('[') && owned.some((other) => other.startsWith(path.replace(/\]\.\w+$/, ']')));
}
