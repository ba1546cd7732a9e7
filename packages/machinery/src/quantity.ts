/**
 * Quantities as Kubernetes writes them: a decimal number and a suffix: n u m k M G T P E (powers of 1000), Ki Mi Gi Ti Pi
 * Ei (powers of 1024), or an exponent e3. Held exactly, as a bigint of billionths; finer fractions round up, away from 0.
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
const nano = 1_000_000_000n;
const decimal: Readonly<Record<string, bigint>> = {
  n: 1n,
  u: 1000n,
  m: 1_000_000n,
  '': nano,
  k: nano * 10n ** 3n,
  M: nano * 10n ** 6n,
  G: nano * 10n ** 9n,
  T: nano * 10n ** 12n,
  P: nano * 10n ** 15n,
  E: nano * 10n ** 18n,
};
const binary: Readonly<Record<string, bigint>> = {
  Ki: nano << 10n,
  Mi: nano << 20n,
  Gi: nano << 30n,
  Ti: nano << 40n,
  Pi: nano << 50n,
  Ei: nano << 60n,
};
const pattern = /^([+-]?)(\d{1,40})?(?:\.(\d{0,40}))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,2}))?$/;

/** The same few quantities stand in most objects of a cluster. */
const known = new Map<string, bigint | undefined>();
const maxKnown = 4096;

/** In billionths, or undefined when `text` is no quantity. */
export function parseQuantity(text: string): bigint | undefined {
  if (known.has(text)) return known.get(text);
  const nanos = parse(text);
  if (known.size >= maxKnown) known.clear();
  // No quantity that makes sense is longer: what is kept stays small.
  if (text.length <= 32) known.set(text, nanos);
  return nanos;
}

function parse(text: string): bigint | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', suffix, exponent] = match;
  if (whole === '' && fraction === '') return undefined;
  let numerator = BigInt(whole + fraction);
  let denominator = 10n ** BigInt(fraction.length);
  if (exponent === undefined) {
    numerator *= decimal[suffix ?? ''] ?? binary[suffix ?? ''] ?? nano;
  } else {
    numerator *= nano;
    const power = Number(exponent);
    if (power >= 0) numerator *= 10n ** BigInt(power);
    else denominator *= 10n ** BigInt(-power);
  }
  const rounded = divideUp(numerator, denominator);
  return sign === '-' ? -rounded : rounded;
}

/** Thousandths of a core, rounded up. 0 for an absent or malformed text: validation has refused the latter before. */
export function cpuMillis(text: string | undefined): number {
  return toUnits(text, 1_000_000n);
}

/** Bytes (or any whole units, such as a count of Pods), rounded up. 0 for an absent or malformed text. */
export function byteCount(text: string | undefined): number {
  return toUnits(text, nano);
}

/** 1500 is '1500m', 2000 is '2'. */
export function formatCpuMillis(millis: number): string {
  return millis % 1000 === 0 ? String(millis / 1000) : `${millis}m`;
}

/** The largest binary unit that holds the count exactly: 67108864 is '64Mi', 1000 is '1000'. */
export function formatByteCount(bytes: number): string {
  return formatQuantity(BigInt(bytes) * nano, 'binary');
}

/** The shortest exact form of billionths in decimal or binary units. */
export function formatQuantity(nanos: bigint, units: 'decimal' | 'binary'): string {
  if (nanos === 0n) return '0';
  const candidates = units === 'binary' ? { n: 1n, u: 1000n, m: 1_000_000n, '': nano, ...binary } : decimal;
  let best = `${nanos}n`;
  for (const [suffix, size] of Object.entries(candidates)) if (nanos % size === 0n) best = `${nanos / size}${suffix}`;
  return best;
}

function toUnits(text: string | undefined, unit: bigint): number {
  const nanos = text === undefined ? undefined : parseQuantity(text);
  if (nanos === undefined) return 0;
  return Number(nanos < 0n ? nanos / unit : divideUp(nanos, unit));
}

function divideUp(numerator: bigint, denominator: bigint): bigint {
  return (numerator + denominator - 1n) / denominator;
}
