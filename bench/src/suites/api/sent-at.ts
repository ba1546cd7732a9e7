/** Stands in a Pod for the moment at which its write began, on the machine's monotonic clock, in microseconds. */
const mark = 'sent=';
const digits = 16;
export const sentPlaceholder = `${mark}${'x'.repeat(digits)}`;

/** That clock, which all processes of the machine share, in milliseconds. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Writes the moment into every Pod of an encoded message. */
export function writeSentAt(message: Buffer, ms: number): void {
  const text = String(Math.round(ms * 1000)).padStart(digits, '0');
  for (let at = message.indexOf(mark); at >= 0; at = message.indexOf(mark, at + mark.length)) {
    message.write(text, at + mark.length, 'latin1');
  }
}

/** The moment in the first Pod of an encoded message. */
export function readSentAt(message: Buffer): number {
  const at = message.indexOf(mark) + mark.length;
  return Number(message.toString('latin1', at, at + digits)) / 1000;
}
