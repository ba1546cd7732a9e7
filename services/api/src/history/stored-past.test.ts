import { secret } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';
import { expect, test } from 'vitest';
import { CachedObject } from '../cache/cached-object.ts';
import type { Past } from '../read/source.ts';
import { StoredPast } from './stored-past.ts';

const never = new AbortController().signal;
const key = { namespace: 'default', name: 's' };

/** An object that was there from one revision until another, in a store that knows what was since `floor`. */
function pastOf(made: bigint, gone: bigint, floor: bigint): { past: Past; asked: () => number } {
  let asked = 0;
  const object = new CachedObject({ kind: secret, key: 's', ...key, revision: made }, new Uint8Array());
  const get: Past['get'] = async (_kind, _key, revision) => {
    asked++;
    if (revision < floor) throw new ApiError('Expired', 'compacted');
    return revision >= made && revision < gone ? object : undefined;
  };
  return { past: { get, list: () => [] as never }, asked: () => asked };
}

test.each([
  { name: 'just gone', made: 1n, gone: 1_000n, floor: 1n, found: 1_000n },
  { name: 'gone for long', made: 1n, gone: 300n, floor: 1n, found: 300n },
  { name: 'gone just before the store forgets it', made: 1n, gone: 302n, floor: 300n, found: 302n },
  { name: 'gone at the first revision that is known', made: 1n, gone: 300n, floor: 300n, found: undefined },
  { name: 'never there', made: 2_000n, gone: 3_000n, floor: 1n, found: undefined },
])('when an object went is found: $name', async ({ made, gone, floor, found }) => {
  const { past, asked } = pastOf(made, gone, floor);
  expect(await new StoredPast(past, secret, key).deletionBefore(1_000n, never)).toBe(found);
  expect(asked()).toBeLessThan(25);
});
