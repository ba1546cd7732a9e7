import { expect, test } from 'vitest';
import { nodeImages } from './node-images.ts';

const image = (sizeBytes: number, tags: readonly string[], digests: readonly string[] = []) => ({
  id: String(sizeBytes),
  tags,
  digests,
  sizeBytes,
  uid: undefined,
  username: '',
});

test('a node tells its largest images by their tags and digests, and leaves out what has no name', () => {
  const told = nodeImages([image(1, ['a:1']), image(3, []), image(2, ['c:2', 'b:2'], ['b@sha256:0'])]);
  expect(told).toEqual([
    { names: ['b:2', 'c:2', 'b@sha256:0'], sizeBytes: 2n },
    { names: ['a:1'], sizeBytes: 1n },
  ]);
});

test('it is the same whatever the order, and never more than 50 of 5 names', () => {
  const names = ['1', '2', '3', '4', '5', '6'].map((tag) => `x:${tag}`);
  const many = Array.from({ length: 60 }, (_, number) => image(number % 7, [`i${number}:1`])).concat(image(99, names));
  const told = nodeImages(many);
  expect(told).toHaveLength(50);
  expect(told[0]?.names).toEqual(names.slice(0, 5));
  expect(nodeImages(many.toReversed())).toEqual(told);
});
