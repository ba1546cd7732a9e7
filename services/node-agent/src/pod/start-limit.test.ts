import { expect, test } from 'vitest';
import { StartLimit } from './start-limit.ts';

test('makes as many at once as it may, containers before sandboxes, and goes on after a failure', async () => {
  const limit = new StartLimit(2);
  const begun: string[] = [];
  const gates = new Map<string, PromiseWithResolvers<void>>();
  const make = (what: 'container' | 'sandbox', name: string) => {
    const gate = Promise.withResolvers<void>();
    gates.set(name, gate);
    return limit.run(what, async () => {
      begun.push(name);
      await gate.promise;
    });
  };
  const done = [make('sandbox', 's1'), make('sandbox', 's2'), make('sandbox', 's3'), make('container', 'c1')];
  expect(begun).toEqual(['s1', 's2']);
  gates.get('s1')?.reject(new Error('no'));
  await expect(done[0]).rejects.toThrow('no');
  expect(begun).toEqual(['s1', 's2', 'c1']);
  for (const gate of gates.values()) gate.resolve();
  await Promise.all(done.slice(1));
  expect(begun).toEqual(['s1', 's2', 'c1', 's3']);
});
