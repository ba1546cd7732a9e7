/**
 * An age as kubectl prints it: two units while the second one still tells something, then one. '5s', '3m2s', '4h', '2d3h'.
 * Source: k8s.io/apimachinery duration.HumanDuration. A time slightly in the future (clocks differ) is '0s'.
 */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 60 * 2) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's');
  if (minutes < 60 * 3) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (days < 8) return two(days, 'd', hours % 24, 'h');
  if (days < 365 * 2) return `${days}d`;
  const years = Math.floor(days / 365);
  if (years < 8) return two(years, 'y', days % 365, 'd');
  return `${years}y`;
}

/** How long ago an RFC 3339 time was at `now` (ms since 1970), or '<unknown>' when there is none. */
export function age(timestamp: string | undefined, now: number): string {
  const then = timestamp === undefined || timestamp === '' ? Number.NaN : Date.parse(timestamp);
  return Number.isNaN(then) ? '<unknown>' : humanDuration(now - then);
}

/** Parses '30s', '5m', '1h30m', '500ms' into milliseconds; undefined when it is no such thing. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  let rest = text;
  let milliseconds = 0;
  while (rest !== '') {
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)/.exec(rest);
    if (match === null) return undefined;
    milliseconds += Number(match[1]) * unitMs[match[2] as keyof typeof unitMs]; // the pattern allows these units only
    rest = rest.slice(match[0].length);
  }
  return text === '' ? undefined : milliseconds;
}

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function two(first: number, firstUnit: string, second: number, secondUnit: string): string {
  return second === 0 ? `${first}${firstUnit}` : `${first}${firstUnit}${second}${secondUnit}`;
}
