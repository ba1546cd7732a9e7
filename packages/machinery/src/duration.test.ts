import { expect, test } from 'vitest';
import { age, humanDuration, parseDuration } from './duration.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

test.each([
  [-5 * second, '<invalid>'],
  [-500, '0s'],
  [0, '0s'],
  [119 * second, '119s'],
  [2 * minute, '2m'],
  [3 * minute + 2 * second, '3m2s'],
  [10 * minute + 30 * second, '10m'],
  [179 * minute, '179m'],
  [3 * hour, '3h'],
  [4 * hour + 5 * minute, '4h5m'],
  [8 * hour + 59 * minute, '8h'],
  [47 * hour, '47h'],
  [2 * day + 3 * hour, '2d3h'],
  [8 * day + hour, '8d'],
  [729 * day, '729d'],
  [730 * day, '2y'],
  [3 * 365 * day + 4 * day, '3y4d'],
  [9 * 365 * day + day, '9y'],
])('%d ms is %s', (milliseconds, text) => expect(humanDuration(milliseconds)).toBe(text));

test('an age needs a time', () => {
  expect(age('', 0)).toBe('<unknown>');
  expect(age('never', 0)).toBe('<unknown>');
  expect(age('1970-01-01T00:00:01Z', 6000)).toBe('5s');
});

test.each([
  ['30s', 30_000],
  ['1h30m', 5_400_000],
  ['500ms', 500],
  ['0', 0],
  ['1.5m', 90_000],
  ['5', undefined],
  ['', undefined],
  ['5d', undefined],
])('%s', (text, milliseconds) => expect(parseDuration(text)).toBe(milliseconds));
