import { pod as podKind, service as serviceKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { Namespace } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { agoMs, lines, now, pod, service } from '../objects.fixture.ts';
import { reconcileNamespace } from './reconcile.ts';

const namespace = (deletionTimestamp = agoMs(1_000)) =>
  // Metadata, spec and status are all given.
  Namespace.fromPartial({
    metadata: { name: 'shop', uid: 'u', resourceVersion: '5', deletionTimestamp },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Terminating' },
  }) as Live<Namespace>;
const writesOf = (plan: ReturnType<typeof reconcileNamespace>) => (plan === 'ask' ? [] : plan.writes);

describe('a namespace', () => {
  test('that stays is left alone', () => {
    expect(
      writesOf(
        reconcileNamespace({ namespace: namespace(''), content: [{ kind: podKind, objects: [pod('a')] }] }, now),
      ),
    ).toEqual([]);
  });

  test('that goes takes everything in it along, and says what is left', () => {
    const going = pod('b', { metadata: { deletionTimestamp: agoMs(1), finalizers: ['example.com/hold'] } });
    const content = [
      { kind: podKind, objects: [pod('a'), going] },
      { kind: serviceKind, objects: [service()] },
    ];
    const writes = writesOf(reconcileNamespace({ namespace: namespace(), content }, now));
    expect(lines(writes)).toEqual(['delete pod a', 'delete service web', 'updateStatus namespace shop']);
    expect(writes.at(-1)).toMatchObject({
      object: {
        status: {
          conditions: [
            {
              type: 'NamespaceContentRemaining',
              message: 'Some resources are remaining: pods has 2 resource instances, services has 1 resource instances',
            },
            {
              type: 'NamespaceFinalizersRemaining',
              status: 'True',
              message: expect.stringContaining('example.com/hold in 1 resource instances'),
            },
          ],
        },
      },
    });
  });

  test('that looks empty goes only when the api says so, too', () => {
    const observed = { namespace: namespace(), content: [] };
    expect(reconcileNamespace(observed, now)).toBe('ask');
    expect(writesOf(reconcileNamespace({ ...observed, provenEmpty: false }, now))).toEqual([]);
    expect(writesOf(reconcileNamespace({ ...observed, provenEmpty: true }, now))).toMatchObject([
      { type: 'update', object: { spec: { finalizers: [] } } },
    ]);
  });
});
