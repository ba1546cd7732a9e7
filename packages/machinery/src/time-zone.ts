/** What the clock on the wall shows. */
export interface LocalTime {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
}

/** What is wrong with the name of a time zone (IANA: Europe/Berlin, UTC); undefined when nothing is. */
export function zoneProblem(zone: string): string | undefined {
  // Distances from UTC are understood, too, but are nobody's name for a place; "local" is another place on each machine.
  const isName = /^[A-Za-z][A-Za-z0-9_+\-/]*$/.test(zone) && zone.toLowerCase() !== 'local';
  if (isName && formatOf(zone) !== undefined) return undefined;
  return `"${zone}" must be the name of a time zone, such as Europe/Berlin or UTC`;
}

/** `ms` since 1970 in a zone whose name is right. */
export function localTime(ms: number, zone: string): LocalTime {
  const shown = new Date(ms + offsetMs(ms, zone));
  return {
    year: shown.getUTCFullYear(),
    month: shown.getUTCMonth() + 1,
    day: shown.getUTCDate(),
    weekday: shown.getUTCDay(),
    hour: shown.getUTCHours(),
    minute: shown.getUTCMinutes(),
  };
}

/** `ms` since 1970 as RFC 3339, in a zone whose name is right: 2026-03-29T03:30:00+02:00. */
export function timeInZone(ms: number, zone: string): string {
  const minutes = Math.round(offsetMs(ms, zone) / 60_000);
  const wall = new Date(ms + offsetMs(ms, zone)).toISOString().slice(0, 19);
  if (minutes === 0) return `${wall}Z`;
  const two = (number: number) => String(number).padStart(2, '0');
  return `${wall}${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
}

/** Clocks are changed at a quarter of an hour, so within one the distance from UTC is the same. */
const quarterMs = 15 * 60_000;
const mostOffsets = 10_000;
const offsets = new Map<string, number>();

function offsetMs(ms: number, zone: string): number {
  const quarter = Math.floor(ms / quarterMs);
  const key = `${zone} ${quarter}`;
  let offset = offsets.get(key);
  if (offset === undefined) {
    offset = offsetAt(quarter * quarterMs, zone);
    if (offsets.size >= mostOffsets) offsets.clear();
    offsets.set(key, offset);
  }
  return offset;
}

function offsetAt(ms: number, zone: string): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of formatOf(zone)?.formatToParts(ms) ?? []) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - ms;
}

const formats = new Map<string, Intl.DateTimeFormat>();
const mostFormats = 1_000;

function formatOf(zone: string): Intl.DateTimeFormat | undefined {
  const present = formats.get(zone);
  if (present !== undefined) return present;
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    if (formats.size >= mostFormats) formats.clear();
    formats.set(zone, format);
    return format;
  } catch (error) {
    // What the runtime says of a name that it does not know.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
