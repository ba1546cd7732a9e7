import { taintText } from '@navarch/kinds';
import { Taint } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import { UserError } from '../session.ts';
import { changedTaints, isTaintChange, readTaintChanges } from './taint-changes.ts';

const taint = (key: string, value: string, effect: string, timeAdded = '') =>
  Taint.fromPartial({ key, value, effect, timeAdded });
const present = [
  taint('a', 'x', 'NoSchedule'),
  taint('a', '', 'NoExecute', '2026-01-01T00:00:00Z'),
  taint('b/c', '', 'PreferNoSchedule'),
];
const after = (texts: string, overwrite = false) => {
  try {
    return changedTaints('n1', present, readTaintChanges(texts.split(' ')), overwrite)
      .map(taintText)
      .join(' ');
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message;
  }
};

test.each(['a=b:NoSchedule', 'a:NoExecute', 'a-', 'a:NoSchedule-', 'a=b'])('%s is a change', (text) => {
  expect(isTaintChange(text)).toBe(true);
});
test.each(['n1', 'node-1', 'node/n1'])('%s is a node', (text) => expect(isTaintChange(text)).toBe(false));

describe('after', () => {
  const all = 'a=x:NoSchedule a:NoExecute b/c:PreferNoSchedule';
  test.each([
    { change: 'd=y:NoSchedule', is: `${all} d=y:NoSchedule` },
    { change: 'd:NoExecute e:NoSchedule', is: `${all} d:NoExecute e:NoSchedule` },
    { change: 'a=x:NoSchedule', is: 'a:NoExecute b/c:PreferNoSchedule a=x:NoSchedule' },
    { change: 'a=y:NoSchedule', is: 'node/n1 has the taint a=x:NoSchedule already; --overwrite changes it' },
    { change: 'a=y:NoSchedule', overwrite: true, is: 'a:NoExecute b/c:PreferNoSchedule a=y:NoSchedule' },
    { change: 'a:NoSchedule-', is: 'a:NoExecute b/c:PreferNoSchedule' },
    { change: 'a-', is: 'b/c:PreferNoSchedule' },
    { change: 'a- d:NoSchedule', is: 'b/c:PreferNoSchedule d:NoSchedule' },
    { change: 'd-', is: 'node/n1 has no taint d' },
    { change: 'a:PreferNoSchedule-', is: 'node/n1 has no taint a:PreferNoSchedule' },
    { change: 'a- a:NoSchedule', is: "a:NoSchedule can't be both set and removed" },
    { change: 'd:NoSchedule d=y:NoSchedule', is: 'd:NoSchedule is there twice' },
    {
      change: 'd:Never',
      is: '"d:Never": there is no effect "Never"; it must be NoSchedule, PreferNoSchedule, NoExecute',
    },
    {
      change: 'd=y',
      is: '"d=y" must be as in key=value:NoSchedule or key:NoExecute, or key:NoSchedule- and key- to remove',
    },
  ])('$change (overwrite: $overwrite): $is', ({ change, overwrite, is }) => {
    expect(after(change, overwrite)).toBe(is);
  });

  test('setting it again, a taint keeps its time', () => {
    const [last] = changedTaints('n1', present, readTaintChanges(['a:NoExecute']), true).slice(-1);
    expect(last?.timeAdded).toBe('2026-01-01T00:00:00Z');
  });
});
