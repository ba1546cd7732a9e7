import { expect, test } from 'vitest';
import { NumberedTemplate } from './numbered-template.ts';

test('items of one message get numbers that follow', () => {
  const template = new NumberedTemplate(Buffer.from('a00000000 b00000000 | a00000000 b00000000'), 2);
  expect(template.items).toBe(2);
  expect(String(template.from(41))).toBe('a00000041 b00000041 | a00000042 b00000042');
  expect(String(template.from(0))).toBe('a00000000 b00000000 | a00000001 b00000001');
});

test('a message without the placeholder is refused', () => {
  expect(() => new NumberedTemplate(Buffer.from('nothing'), 1)).toThrow('placeholder');
  expect(() => new NumberedTemplate(Buffer.from('00000000'), 2)).toThrow('placeholder');
});
