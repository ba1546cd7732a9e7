import { expect, test } from 'vitest';
import { KnownLines } from './known-lines.ts';

test('a line is written once for the same bytes in the same form, and the oldest are forgotten', () => {
  const lines = new KnownLines();
  let written = 0;
  const line = (form: string, text: string) => {
    const bytes = Buffer.from(`_${text}_`);
    return lines.line(form, bytes, 1, bytes.length - 1, () => Buffer.from(`${++written}`)).toString();
  };
  expect([line('a', 'x'), line('a', 'x'), line('b', 'x'), line('a', 'y')]).toEqual(['1', '1', '2', '3']);
  for (let n = 0; n < 30; n++) line('a', String(n).padEnd(100_000));
  expect(line('a', 'x')).toBe('34');
});

test('what begins alike and has one length is told apart by the rest', () => {
  const lines = new KnownLines();
  const line = (text: string) => {
    const bytes = Buffer.from(text);
    return lines.line('a', bytes, 0, bytes.length, () => Buffer.from(`line of ${text}`)).toString();
  };
  const texts = ['x', 'y', 'x'].map((end) => 'same'.repeat(100) + end);
  expect(texts.map(line)).toEqual(texts.map((text) => `line of ${text}`));
});
