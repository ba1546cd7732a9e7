import { expect, test } from 'vitest';
import { compareVersions } from './version-order.ts';

// The example of https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/
const ordered = ['v10', 'v2', 'v1', 'v11beta2', 'v10beta3', 'v3beta1', 'v12alpha1', 'v11alpha2', 'foo1', 'foo10'];

test('versions are preferred by stability, then by number, and names come last', () => {
  expect(ordered.toReversed().toSorted(compareVersions)).toEqual(ordered);
});
