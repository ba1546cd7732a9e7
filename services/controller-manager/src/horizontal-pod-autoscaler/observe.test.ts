import { builtinKinds } from '@navarch/kinds';
import { expect, test } from 'vitest';
import { autoscaler } from './scene.fixture.ts';
import { rivalsOf, targetKind } from './observe.ts';

const reference = (apiVersion: string, kind: string) => ({ apiVersion, kind, name: 'web' });

test.each([
  { apiVersion: 'apps/v1', kind: 'Deployment', found: 'deployments' },
  { apiVersion: 'apps/v1', kind: 'ReplicaSet', found: 'replicasets' },
  { apiVersion: 'apps/v1', kind: 'StatefulSet', found: 'statefulsets' },
  { apiVersion: 'apps/v1beta2', kind: 'Deployment', found: 'deployments' },
  { apiVersion: '', kind: 'Deployment', found: 'deployments' },
  { apiVersion: 'v1', kind: 'Deployment', found: undefined },
  { apiVersion: 'example.com/v1', kind: 'Website', found: undefined },
])('$kind of "$apiVersion" is $found', ({ apiVersion, kind, found }) => {
  expect(targetKind(reference(apiVersion, kind), [])?.plural).toBe(found);
});

test('what an autoscaler may scale has a scale', () => {
  const scalable = builtinKinds.all.filter(({ scale }) => scale !== undefined).map(({ kind }) => kind);
  expect(scalable).toEqual(expect.arrayContaining(['Deployment', 'ReplicaSet', 'StatefulSet']));
});

test('rivals are other autoscalers of the same target that are not about to go', () => {
  const named = (name: string, more: object = {}, target = reference('apps/v1', 'Deployment')) => {
    const made = autoscaler({ scaleTargetRef: target });
    return { ...made, metadata: { ...made.metadata, name, uid: name, ...more } };
  };
  const own = named('own');
  const others = [
    own,
    named('same'),
    named('another-version', {}, reference('apps/v1beta1', 'Deployment')),
    named('another-kind', {}, reference('apps/v1', 'StatefulSet')),
    named('going', { deletionTimestamp: '2026-01-01T00:00:00Z' }),
  ];
  expect(rivalsOf(own, others)).toEqual(['another-version', 'same']);
});
