/** What the five fields of a schedule allow. */
export interface CronFields {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  /** From 1. */
  readonly months: ReadonlySet<number>;
  /** 0 is Sunday. */
  readonly weekdays: ReadonlySet<number>;
  /** The day of the month is `*` or `?`: it restricts nothing. */
  readonly anyDay: boolean;
  readonly anyWeekday: boolean;
}

interface Field {
  readonly title: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const minute: Field = { title: 'minute', min: 0, max: 59 };
const hour: Field = { title: 'hour', min: 0, max: 23 };
const day: Field = { title: 'day of month', min: 1, max: 31 };
const month: Field = { title: 'month', min: 1, max: 12, names: monthNames };
const weekday: Field = { title: 'day of week', min: 0, max: 6, names: dayNames };

const shorthands: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/**
 * Reads five fields, or a name for them. The packages that do so accept what Kubernetes refuses (seconds, L, #, 7 for
 * Sunday) and treat changes of the clock otherwise; a manifest must mean the same here as there. Returns what is wrong.
 */
export function cronFields(text: string): CronFields | string {
  if (text.startsWith('@') && shorthands[text] === undefined) {
    return `"${text}" must be one of ${Object.keys(shorthands).join(', ')} or @every with a time`;
  }
  const parts = (shorthands[text] ?? text).trim().split(/\s+/);
  if (parts.length !== 5) {
    return `has ${text.trim() === '' ? 0 : parts.length} fields; it must have 5: minute, hour, day of month, month, day of week`;
  }
  const [minutes = '', hours = '', days = '', months = '', weekdays = ''] = parts;
  try {
    return {
      minutes: values(minutes, minute),
      hours: values(hours, hour),
      days: values(days, day),
      months: values(months, month),
      weekdays: values(weekdays, weekday),
      anyDay: isAny(days),
      anyWeekday: isAny(weekdays),
    };
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
}

function isAny(text: string): boolean {
  return text.split(',').some((part) => /^[*?](?:\/1)?$/.test(part));
}

/** `*`, numbers, names, ranges and steps, joined by commas. Throws SyntaxError. */
function values(text: string, field: Field): Set<number> {
  const all = new Set<number>();
  for (const part of text.split(',')) {
    const [range = '', stepText, ...more] = part.split('/');
    const { first, last } = bounds(range, field, stepText !== undefined);
    const step = stepText === undefined ? 1 : numberOf(stepText, field, []);
    if (more.length > 0 || step === 0) throw problem(part, field);
    for (let value = first; value <= last; value += step) all.add(value);
  }
  return all;
}

function bounds(range: string, field: Field, hasStep: boolean): { first: number; last: number } {
  if (range === '*' || range === '?') return { first: field.min, last: field.max };
  const [from = '', to, ...more] = range.split('-');
  const first = numberOf(from, field, field.names);
  // 5/15 begins at 5 and has no end.
  const last = to === undefined ? (hasStep ? field.max : first) : numberOf(to, field, field.names);
  if (more.length > 0 || first < field.min || last > field.max || first > last) throw problem(range, field);
  return { first, last };
}

function numberOf(text: string, field: Field, names: readonly string[] = []): number {
  const named = names.indexOf(text.toLowerCase());
  if (named >= 0) return named + field.min;
  if (!/^\d{1,4}$/.test(text)) throw problem(text, field);
  return Number(text);
}

function problem(text: string, { title, min, max, names }: Field): SyntaxError {
  const named = names === undefined ? '' : ` or names such as ${names[1]}`;
  return new SyntaxError(
    `"${text}" is no ${title}: numbers from ${min} to ${max}${named}, *, ranges 1-5 and steps */2`,
  );
}
