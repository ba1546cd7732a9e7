import { validateObject } from '@navarch/machinery';
import { PersistentVolumeClaim } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { claimNodeAnnotation, claimProblem, persistentVolumeClaim } from './persistent-volume-claim.ts';

interface Shape {
  readonly modes?: readonly string[];
  readonly storage?: string;
  readonly node?: string;
  readonly storageClassName?: string;
  readonly volumeName?: string;
}

function claim({ modes = ['ReadWriteOnce'], storage = '1Gi', node, ...spec }: Shape = {}): PersistentVolumeClaim {
  return PersistentVolumeClaim.fromJSON({
    metadata: { name: 'data', annotations: node === undefined ? {} : { [claimNodeAnnotation]: node } },
    spec: { accessModes: modes, resources: { requests: storage === '' ? {} : { storage } }, ...spec },
  });
}

describe('a claim is refused', () => {
  test.each<{ name: string; shape: Shape; path: string; message: string }>([
    { name: 'that asks for no storage', shape: { storage: '' }, path: 'spec.resources.requests', message: 'set' },
    { name: 'that asks for nothing', shape: { storage: '0' }, path: 'spec.resources.requests', message: 'more than 0' },
    { name: 'without access modes', shape: { modes: [] }, path: 'spec.accessModes', message: '' },
    { name: 'of an unknown mode', shape: { modes: ['Write'] }, path: 'spec.accessModes', message: 'ReadWriteOnce' },
    {
      name: 'for one Pod and for many',
      shape: { modes: ['ReadWriteOncePod', 'ReadWriteMany'] },
      path: 'spec.accessModes',
      message: 'beside other modes',
    },
  ])('$name', ({ shape, path, message }) => {
    const object = claim(shape);
    const errors = [
      ...validateObject(persistentVolumeClaim.schema, object),
      ...persistentVolumeClaim.validate!(object),
    ];
    expect(errors.filter((error) => error.path.startsWith(path))).toMatchObject([
      { message: expect.stringContaining(message) as string },
    ]);
  });
});

describe('what a claim asks for stays', () => {
  test.each<{ name: string; before: Shape; after: Shape; errors: string[] }>([
    { name: 'as it is', before: {}, after: {}, errors: [] },
    { name: 'its size', before: {}, after: { storage: '2Gi' }, errors: ['spec.resources'] },
    { name: 'its modes', before: {}, after: { modes: ['ReadWriteMany'] }, errors: ['spec'] },
    {
      name: 'its node, once it has one',
      before: { node: 'a' },
      after: { node: 'b' },
      errors: ['metadata.annotations'],
    },
    { name: 'its node may be set', before: {}, after: { node: 'a' }, errors: [] },
  ])('$name', ({ before, after, errors }) => {
    const found = persistentVolumeClaim.validateUpdate!(claim(after), claim(before));
    expect(found.map(({ path }) => path)).toEqual(errors);
  });
});

test.each<{ shape: Shape; problem: string }>([
  { shape: {}, problem: 'none' },
  { shape: { storageClassName: 'local' }, problem: 'none' },
  { shape: { storageClassName: 'gp2' }, problem: 'storage class "gp2"' },
  { shape: { volumeName: 'pv-1' }, problem: 'PersistentVolume "pv-1"' },
])('storage for $shape', ({ shape, problem }) => {
  expect(claimProblem(claim(shape)) ?? 'none').toContain(problem);
});
