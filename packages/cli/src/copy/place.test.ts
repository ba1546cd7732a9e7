import { expect, test } from 'vitest';
import { placeWithin, readPlace } from './place.ts';

test.each<[string, object]>([
  ['site', { pod: undefined, path: 'site' }],
  ['./a:b', { pod: undefined, path: './a:b' }],
  ['/a:b', { pod: undefined, path: '/a:b' }],
  ['web:/etc', { pod: 'web', namespace: undefined, path: '/etc' }],
  ['shop/web:etc', { pod: 'web', namespace: 'shop', path: 'etc' }],
])('%s is read', (text, place) => {
  expect(readPlace(text)).toEqual(place);
});

test.each(['', 'web:', ':/etc', 'a/b/c:/etc', 'a/:/etc'])('%j is no place', (text) => {
  expect(() => readPlace(text)).toThrow(/must/);
});

test.each<[string, string, readonly string[] | undefined]>([
  ['html', 'html', []],
  ['html/', 'html', []],
  ['./html/a.txt', 'html', ['a.txt']],
  ['html/sub/a.txt', 'html', ['sub', 'a.txt']],
  ['html/../../etc/passwd', 'html', undefined],
  ['../html/a', 'html', undefined],
  ['/etc/passwd', 'html', undefined],
  ['other/a.txt', 'html', undefined],
  ['/html/a', 'html', ['a']],
])('%s in an archive of %s belongs to %j', (name, root, steps) => {
  expect(placeWithin(name, root)).toEqual(steps);
});
