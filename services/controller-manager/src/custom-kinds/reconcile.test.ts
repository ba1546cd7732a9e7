import { customKinds, customResourceDefinition, definitionStatus, type KindDefinition } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { CustomResourceDefinition } from '@navarch/proto';
import { expect, test } from 'vitest';
import { lines, pod } from '../objects.fixture.ts';
import { cleanupFinalizer, type DefinitionObserved, reconcileDefinition } from './reconcile.ts';

const now = Date.parse('2026-01-02T03:04:05Z');

function definition(plural: string, others: readonly KindDefinition[] = [], deletionTimestamp = '') {
  const made = CustomResourceDefinition.fromPartial({
    metadata: {
      name: `${plural}.example.com`,
      uid: `uid-${plural}`,
      resourceVersion: '7',
      deletionTimestamp,
      finalizers: [cleanupFinalizer],
    },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural, singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
      versions: [{ name: 'v1', served: true, storage: true }],
    },
  });
  made.status = definitionStatus(made, others, '2026-01-01T00:00:00Z');
  return made as Live<CustomResourceDefinition>; // with all its parts
}

const widgets = definition('widgets');
const kind = customKinds(widgets)[0]!.kind;
const object = (name: string, deletionTimestamp = '') => ({
  metadata: pod(name, { metadata: { deletionTimestamp } }).metadata,
});
const going = definition('widgets', [], '2026-01-02T03:00:00Z');
const look = (observed: Partial<DefinitionObserved>) =>
  reconcileDefinition({ definition: going, others: [], content: undefined, ...observed }, now);
const written = (observed: Partial<DefinitionObserved>) => {
  const plan = look(observed);
  return plan === 'ask' ? plan : lines(plan.writes);
};

test.each<[string, Partial<DefinitionObserved>, ReturnType<typeof written>]>([
  ['one that stays as it is', { definition: widgets }, []],
  [
    'names that have become free',
    { definition: definition('gadgets', [kind]) },
    ['updateStatus customresourcedefinition gadgets.example.com'],
  ],
  ['names that are still taken', { definition: definition('gadgets', [kind]), others: [kind] }, []],
  [
    'one that goes with objects',
    { content: { kind, objects: [object('a'), object('b', '2026-01-02T03:04:00Z')] } },
    ['delete widget a', 'updateStatus customresourcedefinition widgets.example.com'],
  ],
  ['one that goes, as far as the caches know without objects', { content: { kind, objects: [] } }, 'ask'],
  ['one that goes, with objects that only the api knows', { content: { kind, objects: [] }, provenEmpty: false }, []],
  [
    'one that goes without objects',
    { content: { kind, objects: [] }, provenEmpty: true },
    ['update customresourcedefinition widgets.example.com'],
  ],
  ['one that goes and never was a kind', {}, ['update customresourcedefinition widgets.example.com']],
])('%s', (_, observed, writes) => expect(written(observed)).toEqual(writes));

test('the finalizer goes last, and a waiting definition says for what it waits', () => {
  expect(look({ content: { kind, objects: [] }, provenEmpty: true })).toMatchObject({
    writes: [{ kind: customResourceDefinition, object: { metadata: { finalizers: [] } } }],
  });
  const plan = look({ content: { kind, objects: [object('a', '2026-01-02T03:04:00Z')] } });
  expect(JSON.stringify(plan === 'ask' ? '' : plan.writes.map((write) => 'object' in write && write.object))).toContain(
    'waiting for 1 objects to go',
  );
});
