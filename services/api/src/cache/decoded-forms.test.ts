import { expect, test } from 'vitest';
import { DecodedForms } from './decoded-forms.ts';

test('forgets those that were decoded longest ago, and never the newest', () => {
  const forgotten: string[] = [];
  const holder = (name: string) => ({ forget: () => void forgotten.push(name) });
  const forms = new DecodedForms(100);
  forms.keep(holder('a'), 40);
  forms.keep(holder('b'), 40);
  expect(forgotten).toEqual([]);
  forms.keep(holder('c'), 40);
  expect(forgotten).toEqual(['a']);
  forms.keep(holder('large'), 500);
  expect(forgotten).toEqual(['a', 'b', 'c']);
  forms.keep(holder('d'), 1);
  expect(forgotten).toEqual(['a', 'b', 'c', 'large']);
});

test('goes on for ever', () => {
  let kept = 0;
  const forms = new DecodedForms(10);
  for (let i = 0; i < 10_000; i++) {
    kept++;
    forms.keep({ forget: () => void kept-- }, 1);
  }
  expect(kept).toBe(10);
});
