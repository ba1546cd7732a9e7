import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CronSchedule, parseSchedule } from './cron-schedule.ts';

const ms = (text: string) => Date.parse(text);
const iso = (time: number | undefined) => (time === undefined ? undefined : new Date(time).toISOString().slice(0, 16));

function schedule(text: string, zone = 'UTC'): CronSchedule {
  const parsed = parseSchedule(text, zone);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}

/** The next times, as the clock of UTC shows them. */
function times(text: string, zone: string, after: string, count: number): (string | undefined)[] {
  const due = schedule(text, zone);
  const found: (string | undefined)[] = [];
  for (let at = due.next(ms(after)); at !== undefined && found.length < count; at = due.next(at)) found.push(iso(at));
  return found;
}

describe('when it is due', () => {
  test.each([
    { text: '* * * * *', next: '2026-01-01T00:01' },
    { text: '*/15 * * * *', next: '2026-01-01T00:15' },
    { text: '5/20 * * * *', next: '2026-01-01T00:05' },
    { text: '0 8-18/5 * * *', next: '2026-01-01T08:00' },
    { text: '30 2 * * *', next: '2026-01-01T02:30' },
    { text: '0 0 * * mon', next: '2026-01-05T00:00' },
    { text: '0 0 ? JUN Fri,sat', next: '2026-06-05T00:00' },
    // Both days are restricted: one is enough. 2 January 2026 is a Friday.
    { text: '0 0 13 * 5', next: '2026-01-02T00:00' },
    // A step from * on restricts, too.
    { text: '0 0 */20 * 5', next: '2026-01-02T00:00' },
    { text: '0 0 29 2 *', next: '2028-02-29T00:00' },
    { text: '0 0 31 2 *', next: undefined },
    { text: '@hourly', next: '2026-01-01T01:00' },
    { text: '@daily', next: '2026-01-02T00:00' },
    { text: '@midnight', next: '2026-01-02T00:00' },
    { text: '@weekly', next: '2026-01-04T00:00' },
    { text: '@monthly', next: '2026-02-01T00:00' },
    { text: '@yearly', next: '2027-01-01T00:00' },
    { text: '@annually', next: '2027-01-01T00:00' },
    { text: '@every 1h30m', next: '2026-01-01T01:30' },
  ])('"$text" is due at $next', ({ text, next }) => {
    expect(iso(schedule(text).next(ms('2026-01-01T00:00:30Z')))).toBe(next);
  });
});

describe('what is no schedule', () => {
  test.each([
    { text: '', says: 'has 0 fields' },
    { text: '* * * *', says: 'has 4 fields' },
    { text: '0 * * * * *', says: 'has 6 fields' },
    { text: '60 * * * *', says: '"60" is no minute' },
    { text: '* 24 * * *', says: '"24" is no hour' },
    { text: '* * 0 * *', says: '"0" is no day of month' },
    { text: '* * * 13 *', says: '"13" is no month' },
    { text: '* * * * 7', says: '"7" is no day of week' },
    { text: '* * * * fri#2', says: '"fri#2" is no day of week' },
    { text: '* * L * *', says: '"L" is no day of month' },
    { text: '*/0 * * * *', says: '"*/0" is no minute' },
    { text: '5-1 * * * *', says: '"5-1" is no minute' },
    { text: '1-2-3 * * * *', says: '"1-2-3" is no minute' },
    { text: '1,,2 * * * *', says: '"" is no minute' },
    { text: '-1 * * * *', says: '"" is no minute' },
    { text: '@fortnightly', says: 'must be one of @yearly' },
    { text: '@every soon', says: '"soon" must be a time' },
    { text: 'CRON_TZ=UTC * * * * *', says: 'has 6 fields' },
  ])('"$text"', ({ text, says }) => {
    expect(parseSchedule(text, 'UTC')).toEqual(expect.stringContaining(says));
  });

  test.each(['Mars/Olympus', '+01:00', 'Local', ''])('nor a place "%s"', (zone) => {
    expect(parseSchedule('* * * * *', zone)).toEqual(expect.stringContaining('must be the name of a time zone'));
  });
});

describe('when the clock is changed', () => {
  test.each([
    {
      name: 'forward: a time that is left out does not come that day',
      text: '30 2 * * *',
      zone: 'Europe/Berlin',
      after: '2026-03-28T02:00Z',
      due: ['2026-03-30T00:30', '2026-03-31T00:30'],
    },
    {
      name: 'forward: an hourly one goes on an hour later, whatever it is called',
      text: '0 * * * *',
      zone: 'Europe/Berlin',
      after: '2026-03-29T00:00Z',
      due: ['2026-03-29T01:00', '2026-03-29T02:00'],
    },
    {
      name: 'forward: after the gap all is as usual',
      text: '0 3 * * *',
      zone: 'America/New_York',
      after: '2026-03-07T12:00Z',
      due: ['2026-03-08T07:00', '2026-03-09T07:00'],
    },
    {
      name: 'back: a time that comes twice is due twice',
      text: '30 2 * * *',
      zone: 'Europe/Berlin',
      after: '2026-10-24T12:00Z',
      due: ['2026-10-25T00:30', '2026-10-25T01:30', '2026-10-26T01:30'],
    },
    {
      name: 'back: an hourly one comes every hour',
      text: '0 * * * *',
      zone: 'America/New_York',
      after: '2026-11-01T04:30Z',
      due: ['2026-11-01T05:00', '2026-11-01T06:00', '2026-11-01T07:00'],
    },
    {
      name: 'back: a daily one outside the hour comes once',
      text: '0 9 * * *',
      zone: 'Europe/Berlin',
      after: '2026-10-24T12:00Z',
      due: ['2026-10-25T08:00', '2026-10-26T08:00'],
    },
    {
      name: 'at midnight, where there is none that day',
      text: '0 0 * * *',
      zone: 'Africa/Cairo',
      after: '2026-04-23T00:00Z',
      due: ['2026-04-24T21:00', '2026-04-25T21:00'],
    },
    {
      name: 'by half an hour',
      text: '15 2 * * *',
      zone: 'Australia/Lord_Howe',
      after: '2026-10-03T00:00Z',
      due: ['2026-10-04T15:15', '2026-10-05T15:15'],
    },
  ])('$name', ({ text, zone, after, due }) => {
    expect(times(text, zone, after, due.length)).toEqual(due);
  });
});

const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Africa/Cairo',
  'Antarctica/Troll',
  'Pacific/Chatham',
  'America/Sao_Paulo',
];
const number = (min: number, max: number) => fc.integer({ min, max });
const field = (min: number, max: number) =>
  fc.oneof(
    fc.constant('*'),
    number(min, max).map(String),
    fc.tuple(number(min, max), number(min, max)).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
    number(2, 20).map((step) => `*/${step}`),
    fc.tuple(number(min, max), number(min, max)).map(([a, b]) => `${a},${b}`),
  );
const anySchedule = fc
  .tuple(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6))
  .map((fields) => fields.join(' '));
/** Around the days when clocks are changed, and others. */
const start = fc.oneof(
  number(ms('2026-01-01T00:00Z'), ms('2027-01-01T00:00Z')),
  fc
    .tuple(
      fc.constantFrom('2026-03-08', '2026-03-29', '2026-04-05', '2026-04-24', '2026-10-04', '2026-10-25', '2026-11-01'),
      number(-30, 30),
    )
    .map(([day, hours]) => ms(day) + hours * 3_600_000),
);

/** Asks the runtime's calendar about each minute, one after another, and reads the fields as they stand there. */
function slowly(text: string, zone: string, afterMs: number, minutes: number): number[] {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    weekday: 'short',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  const fits = (one: string, value: number, min: number) =>
    one.split(',').some((part) => {
      const [range = '', step = '1'] = part.split('/');
      if (range === '*') return (value - min) % Number(step) === 0;
      const [low = '', high = low] = range.split('-');
      return Number(low) <= value && value <= Number(high);
    });
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = text.split(' ');
  const first = Math.floor(afterMs / 60_000) + 1;
  return Array.from({ length: minutes }, (_, index) => (first + index) * 60_000).filter((at) => {
    const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
    const byDay = fits(day, Number(parts['day']), 1);
    const byWeekday = fits(
      weekday,
      ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'].indexOf(parts['weekday'] ?? ''),
      0,
    );
    const days = day === '*' || weekday === '*' ? byDay && byWeekday : byDay || byWeekday;
    return (
      days &&
      fits(month, Number(parts['month']), 1) &&
      fits(hour, Number(parts['hour']), 0) &&
      fits(minute, Number(parts['minute']), 0)
    );
  });
}

test('any schedule is due at the minutes that a walk over all of them finds', { timeout: 60_000 }, () => {
  const minutes = 3 * 24 * 60;
  fc.assert(
    fc.property(anySchedule, fc.constantFrom(...zones), start, (text, zone, afterMs) => {
      const due = slowly(text, zone, afterMs, minutes);
      const parsed = schedule(text, zone);
      const endMs = (Math.floor(afterMs / 60_000) + minutes) * 60_000;
      const found: number[] = [];
      for (let at = parsed.next(afterMs); at !== undefined && at <= endMs; at = parsed.next(at)) found.push(at);
      expect(found.map(iso)).toEqual(due.map(iso));
      expect(iso(parsed.latest(afterMs, endMs))).toBe(iso(due.at(-1)));
    }),
    { numRuns: 60 },
  );
});

test('looking back over years takes no long walk', () => {
  const last = schedule('* * * * *').latest(ms('2020-01-01T00:00Z'), ms('2026-01-01T00:00Z'));
  expect(iso(last)).toBe('2026-01-01T00:00');
  expect(schedule('@every 7m').latest(ms('2020-01-01T00:00Z'), ms('2020-01-01T00:06Z'))).toBeUndefined();
  expect(iso(schedule('@every 7m').latest(ms('2020-01-01T00:00Z'), ms('2020-01-01T00:20Z')))).toBe('2020-01-01T00:14');
});
