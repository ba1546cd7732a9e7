import { expect, test } from 'vitest';
import { generatedName } from './names.ts';
import { formatTable } from './table.ts';

test('columns are three spaces apart, and no line ends in spaces', () => {
  const rows = [
    ['NAME', 'READY', 'AGE'],
    ['web-1', '1/1', '5s'],
    ['a-longer-name', '0/1', ''],
  ];
  expect(formatTable(rows)).toBe(
    ['NAME            READY   AGE', 'web-1           1/1     5s', 'a-longer-name   0/1', ''].join('\n'),
  );
});

test('a generated name is the prefix and five letters, and at most 63 long', () => {
  expect(generatedName('web-', () => 0)).toBe('web-bbbbb');
  expect(generatedName('web-', () => 0.999)).toBe('web-99999');
  expect(generatedName('x'.repeat(80), () => 0)).toHaveLength(63);
});
