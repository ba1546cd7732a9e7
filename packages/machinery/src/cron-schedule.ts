import { cronFields, type CronFields } from './cron-fields.ts';
import { localTime, type LocalTime, zoneProblem } from './time-zone.ts';

/** When something is due, again and again. All times in ms since 1970. */
export interface CronSchedule {
  /** The first time after `afterMs`; undefined when there is none within five years. */
  next(afterMs: number): number | undefined;
  /** The last time after `afterMs` and not after `untilMs`; undefined when there is none. */
  latest(afterMs: number, untilMs: number): number | undefined;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** As far as one looks ahead: February 29 comes within 8 years at most, but seldom does anybody mean that. */
const horizonMs = 5 * 366 * dayMs;

/**
 * Reads a schedule in Kubernetes' dialect (github.com/robfig/cron, ParseStandard): five fields, names such as @hourly, or
 * `@every 90m`. A minute is due when the clock on the wall in `zone` shows what the fields say: of a night in which the
 * clock is put forward, times that it leaves out don't come; in one in which it is put back, times that it shows twice come
 * twice. Returns what is wrong as a text.
 */
export function parseSchedule(text: string, zone: string): CronSchedule | string {
  const problem = zoneProblem(zone);
  if (problem !== undefined) return problem;
  const every = /^@every\s+(.+)$/.exec(text);
  if (every !== null) return interval(every[1] ?? '');
  const fields = cronFields(text);
  if (typeof fields === 'string') return fields;
  return {
    next: (afterMs) => nextTime(fields, zone, afterMs),
    latest: (afterMs, untilMs) => latestTime(fields, zone, afterMs, untilMs),
  };
}

function interval(text: string): CronSchedule | string {
  const ms = everyMs(text);
  if (ms === undefined) return `"${text}" must be a time such as 90m or 1h30m, of at least a second`;
  // Counted from the time before, in whole seconds.
  const start = (afterMs: number) => Math.floor(afterMs / 1000) * 1000;
  return {
    next: (afterMs) => start(afterMs) + ms,
    latest: (afterMs, untilMs) => {
      const times = Math.floor((untilMs - start(afterMs)) / ms);
      return times < 1 ? undefined : start(afterMs) + times * ms;
    },
  };
}

function everyMs(text: string): number | undefined {
  const match = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  if (match === null) return undefined;
  const [hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part: string | undefined) => Number(part ?? 0));
  const ms = hours * hourMs + minutes * minuteMs + seconds * 1000;
  return ms > 0 ? ms : undefined;
}

/**
 * Goes over the clock's minutes in ever smaller steps. A step over a day or hour that doesn't match never reaches beyond its
 * end, however the clock is changed in it: that is at most two hours.
 */
function nextTime(fields: CronFields, zone: string, afterMs: number): number | undefined {
  let ms = (Math.floor(afterMs / minuteMs) + 1) * minuteMs;
  const endMs = afterMs + horizonMs;
  while (ms <= endMs) {
    const wall = localTime(ms, zone);
    const leftOfHour = 60 - wall.minute;
    if (!matchesDay(fields, wall)) {
      const leftOfDay = (24 - wall.hour) * 60 - wall.minute;
      ms += (leftOfDay > 180 ? leftOfDay - 120 : leftOfHour) * minuteMs;
    } else if (!fields.hours.has(wall.hour)) {
      ms += leftOfHour * minuteMs;
    } else if (!fields.minutes.has(wall.minute)) {
      ms += minuteMs;
    } else return ms;
  }
  return undefined;
}

function matchesDay({ days, months, weekdays, anyDay, anyWeekday }: CronFields, wall: LocalTime): boolean {
  if (!months.has(wall.month)) return false;
  const [day, weekday] = [days.has(wall.day), weekdays.has(wall.weekday)];
  // cron's oldest rule: where both days are restricted, one of them is enough.
  return anyDay || anyWeekday ? day && weekday : day || weekday;
}

/** Looks back a little first, and further only when nothing is there, so that a long time without a run is no long walk. */
function latestTime(fields: CronFields, zone: string, afterMs: number, untilMs: number): number | undefined {
  for (const backMs of [hourMs, dayMs, 31 * dayMs, 366 * dayMs, horizonMs]) {
    const fromMs = Math.max(afterMs, untilMs - backMs);
    let latest: number | undefined;
    for (let at = nextTime(fields, zone, fromMs); at !== undefined && at <= untilMs; at = nextTime(fields, zone, at))
      latest = at;
    if (latest !== undefined || fromMs === afterMs) return latest;
  }
  return undefined;
}
