import { createLogger } from '@navarch/kit';
import { expect, test } from 'vitest';
import { Kernel } from './kernel.ts';

const chains = (...list: object[]) =>
  JSON.stringify({ nftables: [{ metainfo: {} }, ...list.map((chain) => ({ chain }))] });

test.each([
  {
    name: 'Docker’s',
    output: chains({ family: 'ip', table: 'filter', name: 'FORWARD', hook: 'forward', policy: 'drop' }),
    found: ['ip filter'],
  },
  {
    name: 'none',
    output: chains({ family: 'ip', table: 'filter', name: 'FORWARD', hook: 'forward', policy: 'accept' }),
    found: [],
  },
  {
    name: 'another hook’s',
    output: chains({ family: 'inet', table: 'filter', name: 'input', hook: 'input', policy: 'drop' }),
    found: [],
  },
])('tables that drop forwarded packets: $name', async ({ output, found }) => {
  const kernel = new Kernel({ run: async () => output, logger: createLogger({ name: 'test', level: 'silent' }) });
  expect(await kernel.forwardBlockers(new AbortController().signal)).toEqual(found);
});
