import { pod as podKind, service as serviceKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { Namespace } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { agoMs, lines, now, pod, service } from '../objects.fixture.ts';
import { emptying, finalizing, isToBeEmptied } from './reconcile.ts';
import { statusWrites } from './status.ts';

const namespace = (more: object = {}) =>
  // Metadata, spec and status are all given.
  Namespace.fromPartial({
    metadata: { name: 'shop', uid: 'u', resourceVersion: '5', deletionTimestamp: agoMs(1_000) },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Terminating' },
    ...more,
  }) as Live<Namespace>;
const going = (name: string, ...finalizers: string[]) =>
  pod(name, { metadata: { deletionTimestamp: agoMs(1), finalizers } });
const content = [
  { kind: podKind, objects: [pod('a'), going('b', 'x.io/hold'), going('c', 'x.io/hold', 'y.io/hold')] },
  { kind: serviceKind, objects: [service()] },
];
const none = { undiscovered: [], refused: [] };
const conditions = (...args: Parameters<typeof statusWrites>) => {
  const [write] = statusWrites(...args);
  if (write?.type !== 'updateStatus') return [];
  const { status } = write.object as Namespace;
  return (status?.conditions ?? []).map(
    ({ type, status: holds, reason, message }) => `${type} ${holds} ${reason}: ${message}`,
  );
};

describe('a namespace', () => {
  test('is emptied by us while it is going and nobody has emptied it', () => {
    expect(isToBeEmptied(namespace())).toBe(true);
    expect(isToBeEmptied(namespace({ metadata: { name: 'shop', deletionTimestamp: '' } }))).toBe(false);
    expect(isToBeEmptied(namespace({ spec: { finalizers: ['x.io/hold'] } }))).toBe(false);
  });

  test('takes everything in it along, each as it was seen', () => {
    const writes = emptying({ namespace: namespace(), content });
    expect(lines(writes)).toEqual(['delete pod a', 'delete service web']);
    expect(writes).toMatchObject([{ options: { uid: 'uid-a' } }, {}]);
  });

  test('that is empty loses our finalizer only', () => {
    const object = namespace({ spec: { finalizers: ['x.io/hold', 'kubernetes'] } });
    expect(finalizing(object)).toMatchObject({ type: 'update', object: { spec: { finalizers: ['x.io/hold'] } } });
  });
});

describe('its conditions', () => {
  test('count what remains by kind and by finalizer', () => {
    expect(conditions({ namespace: namespace(), content }, none, now)).toEqual([
      'NamespaceDeletionDiscoveryFailure False ResourcesDiscovered: Everything in the namespace is known',
      'NamespaceDeletionGroupVersionParsingFailure False ParsedGroupVersions: The version of every kind can be read',
      'NamespaceDeletionContentFailure False ContentDeleted: Everything in the namespace was asked to go',
      'NamespaceContentRemaining True SomeResourcesRemain: Still in the namespace: 3 pods, 1 services',
      'NamespaceFinalizersRemaining True SomeFinalizersRemain: Held by finalizers: 2 objects by x.io/hold, 1 object by y.io/hold',
    ]);
  });

  test('say what went wrong, of many things some', () => {
    const refused = Array.from({ length: 7 }, (_, i) => `pods "p${i}": no`);
    const [discovery, , deletion, remaining, finalizers] = conditions(
      { namespace: namespace(), content: [] },
      { undiscovered: ['widgets.x.io: gone'], refused },
      now,
    );
    expect([discovery, deletion, remaining, finalizers]).toEqual([
      'NamespaceDeletionDiscoveryFailure True DiscoveryFailed: What is in the namespace can not be told: widgets.x.io: gone',
      'NamespaceDeletionContentFailure True ContentDeletionFailed: 7 objects could not be asked to go: pods "p0": no; pods "p1": no; pods "p2": no; pods "p3": no; pods "p4": no; and 2 more',
      'NamespaceContentRemaining False ContentRemoved: Nothing is left in the namespace',
      'NamespaceFinalizersRemaining False ContentHasNoFinalizers: No finalizer holds anything in the namespace',
    ]);
  });

  test('are written once', () => {
    const [write] = statusWrites({ namespace: namespace(), content }, none, now);
    const told = write?.type === 'updateStatus' ? (write.object as Live<Namespace>) : namespace();
    expect(statusWrites({ namespace: told, content }, none, now + 60_000)).toEqual([]);
  });
});
