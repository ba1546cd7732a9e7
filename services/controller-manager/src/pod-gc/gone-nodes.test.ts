import type { Client, Lister } from '@navarch/client';
import { ApiError } from '@navarch/machinery';
import type { Node } from '@navarch/proto';
import { expect, test } from 'vitest';
import { node } from '../objects.fixture.ts';
import { GoneNodes } from './gone-nodes.ts';

/** `shown` are in the caches, `real` at the api. */
function world(shown: string[], real: string[]) {
  const asked: string[] = [];
  const find = (names: string[], name: string) => (names.includes(name) ? node(name) : undefined);
  const lister = { get: (name: string) => find(shown, name) } as unknown as Lister<Node>; // all that is asked of it
  const get = async (_: unknown, { name }: { name: string }) => {
    asked.push(name);
    const there = find(real, name);
    if (there === undefined) throw new ApiError('NotFound', name);
    return there;
  };
  const gone = new GoneNodes(lister, { get } as unknown as Pick<Client, 'get'>); // it gives what it was asked for
  return {
    gone,
    asked,
    look: (now: number) => gone.look(new Set(['a', 'b', '']), 40_000, now, new AbortController().signal),
  };
}

test('counts from when a node was first missed, and forgets it when it is back', async () => {
  const shown = ['a'];
  const { gone, look } = world(shown, []);
  await look(1_000);
  await look(21_000);
  expect([gone.forMs('a', 21_000), gone.forMs('b', 21_000)]).toEqual([undefined, 20_000]);
  shown.push('b');
  await look(22_000);
  expect(gone.forMs('b', 22_000)).toBeUndefined();
});

test('the api is asked before anything is done, since the caches may be behind', async () => {
  const { gone, asked, look } = world([], ['b']);
  await look(0);
  expect(asked).toEqual([]);
  await look(40_000);
  expect(asked).toEqual(['a', 'b']);
  expect([gone.forMs('a', 40_000), gone.forMs('b', 40_000)]).toEqual([40_000, undefined]);
});
