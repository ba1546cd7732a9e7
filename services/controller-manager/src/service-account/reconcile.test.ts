import type { Live } from '@navarch/machinery';
import { Namespace } from '@navarch/proto';
import { expect, test } from 'vitest';
import { agoMs, lines, live } from '../objects.fixture.ts';
import { reconcileServiceAccount } from './reconcile.ts';

const shop = (deletionTimestamp = ''): Live<Namespace> =>
  live(Namespace.fromPartial({ metadata: { name: 'shop', deletionTimestamp } }));

test.each([
  {
    name: 'a namespace without a default account gets it',
    namespace: shop(),
    isThere: false,
    writes: ['create serviceaccount default'],
  },
  { name: 'nothing is written when it is there', namespace: shop(), isThere: true, writes: [] },
  { name: 'none is made in a namespace that is being deleted', namespace: shop(agoMs(5)), isThere: false, writes: [] },
  { name: 'nor in one that is gone', namespace: undefined, isThere: false, writes: [] },
])('$name', ({ namespace, isThere, writes }) => {
  expect(lines(reconcileServiceAccount(namespace, isThere).writes)).toEqual(writes);
});
