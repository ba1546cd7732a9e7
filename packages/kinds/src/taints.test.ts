import { Taint, Toleration } from '@navarch/proto';
import { expect, test } from 'vitest';
import { tolerates, untolerated, validateTaints, validateTolerations, validateTolerationsUpdate } from './taints.ts';

const taint = (text: string) => {
  const [, key = '', value = '', effect = ''] = /^([^=:]*)=?([^:]*):(.*)$/.exec(text) ?? [];
  return Taint.fromPartial({ key, value, effect });
};
const toleration = (fields: Parameters<typeof Toleration.fromPartial>[0]) => Toleration.fromPartial(fields);

test.each([
  { by: { key: 'a', value: 'x' }, of: 'a=x:NoSchedule', is: true },
  { by: { key: 'a', operator: 'Equal', value: 'x' }, of: 'a=x:NoExecute', is: true },
  { by: { key: 'a', value: 'y' }, of: 'a=x:NoSchedule', is: false },
  { by: { key: 'b', value: 'x' }, of: 'a=x:NoSchedule', is: false },
  { by: { key: 'a' }, of: 'a:NoSchedule', is: true },
  { by: { key: 'a' }, of: 'a=x:NoSchedule', is: false },
  { by: { key: 'a', operator: 'Exists' }, of: 'a=x:NoSchedule', is: true },
  { by: { key: 'a', operator: 'Exists', effect: 'NoExecute' }, of: 'a=x:NoSchedule', is: false },
  { by: { operator: 'Exists' }, of: 'a=x:NoExecute', is: true },
])('$by tolerates $of: $is', ({ by, of, is }) => {
  expect(tolerates(toleration(by), taint(of))).toBe(is);
});

test('of several taints the first counts that nothing tolerates, of the effects asked for', () => {
  const taints = [taint('a:PreferNoSchedule'), taint('b:NoSchedule'), taint('c:NoExecute')];
  expect(untolerated(taints, [], ['NoSchedule', 'NoExecute'])?.key).toBe('b');
  expect(untolerated(taints, [toleration({ key: 'b' })], ['NoSchedule', 'NoExecute'])?.key).toBe('c');
  expect(untolerated(taints, [toleration({ operator: 'Exists' })], ['NoSchedule', 'NoExecute'])).toBeUndefined();
});

test('a node has each taint once', () => {
  expect(validateTaints([taint('a=x:NoSchedule'), taint('a=x:NoExecute')], 'spec.taints')).toEqual([]);
  expect(validateTaints([taint('a=x:NoSchedule'), taint('a=y:NoSchedule')], 'spec.taints')).toMatchObject([
    { path: 'spec.taints[1]' },
  ]);
});

test.each([
  { name: 'all taints', fields: { operator: 'Exists' }, wrong: [] },
  { name: 'a while', fields: { key: 'a', effect: 'NoExecute', tolerationSeconds: 5 }, wrong: [] },
  { name: 'no key, but Equal', fields: { value: 'x' }, wrong: ['t[0].operator'] },
  { name: 'a value with Exists', fields: { key: 'a', operator: 'Exists', value: 'x' }, wrong: ['t[0].value'] },
  { name: 'a while of another effect', fields: { key: 'a', tolerationSeconds: 5 }, wrong: ['t[0].effect'] },
])('a toleration of $name: wrong is $wrong', ({ fields, wrong }) => {
  expect(validateTolerations([toleration(fields)], 't').map(({ path }) => path)).toEqual(wrong);
});

test("a Pod's tolerations only grow, and their seconds may change", () => {
  const [a, b] = [toleration({ key: 'a', effect: 'NoExecute', tolerationSeconds: 5 }), toleration({ key: 'b' })];
  expect(validateTolerationsUpdate([b, { ...a, tolerationSeconds: 9 }], [a], 't')).toEqual([]);
  expect(validateTolerationsUpdate([{ ...b, operator: 'Equal' }], [b], 't')).toEqual([]);
  expect(validateTolerationsUpdate([b], [a, b], 't')).toMatchObject([{ path: 't' }]);
});
