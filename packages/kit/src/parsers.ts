import { isIP } from 'node:net';
import type { Address } from './address.ts';

/** Turns a flag's or variable's text into a value, or throws `Expected` saying what it should look like. */
export type Parser<T> = (text: string) => T;

/** Thrown by a parser: `message` completes the sentence "… but expected <message>". */
export class Expected extends Error {}

/** `host:port`; an IPv6 host in brackets. */
export const address: Parser<Address> = (text) => {
  const match = /^(?:\[([^\]]+)\]|([^:\s[\]]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535 || (match?.[1] !== undefined && isIP(host) !== 6)) {
    throw new Expected('host:port, for example 127.0.0.1:7400 or [::1]:7400');
  }
  return { host, port };
};

/** A URL with one of `schemes` (any when none is given), as it was written. */
export const url =
  (...schemes: readonly string[]): Parser<string> =>
  (text) => {
    const scheme = URL.canParse(text) ? new URL(text).protocol.slice(0, -1) : undefined;
    const fits = scheme !== undefined && (schemes.length === 0 || schemes.includes(scheme));
    if (!fits || !text.includes('://')) throw new Expected(`a URL like ${schemes[0] ?? 'http'}://host:port`);
    return text;
  };

export const integer =
  ({
    min = Number.MIN_SAFE_INTEGER,
    max = Number.MAX_SAFE_INTEGER,
  }: {
    min?: number;
    max?: number;
  } = {}): Parser<number> =>
  (text) => {
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || value < min || value > max) {
      const range = [
        ...(min > Number.MIN_SAFE_INTEGER ? [`at least ${min}`] : []),
        ...(max < Number.MAX_SAFE_INTEGER ? [`at most ${max}`] : []),
      ];
      throw new Expected(['a whole number', ...range].join(' '));
    }
    return value;
  };

/** A decimal number like `0.5`. */
export const number =
  ({ min, max }: { min: number; max: number }): Parser<number> =>
  (text) => {
    const value = Number(text);
    if (!/^\d+(\.\d+)?$/.test(text) || value < min || value > max) {
      throw new Expected(`a number from ${min} to ${max}, for example ${Math.max(min, Math.min(0.5, max))}`);
    }
    return value;
  };

const msByUnit: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds: `40000`, or with units as `500ms`, `40s`, `1m30s`, `2h`. */
export const durationMs: Parser<number> = (text) => {
  if (/^\d+$/.test(text)) return Number(text);
  if (!/^(\d+(ms|s|m|h))+$/.test(text)) {
    throw new Expected('a duration in milliseconds or with units, for example 40000, 40s or 1m30s');
  }
  return [...text.matchAll(/(\d+)(ms|s|m|h)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (msByUnit[unit ?? ''] ?? 0),
    0,
  );
};

/** A network in CIDR notation. `text` is its one spelling. */
export interface Cidr {
  readonly text: string;
  readonly address: string;
  readonly prefixLength: number;
  readonly family: 4 | 6;
}

/** A network like `10.96.0.0/16`; bits beyond the prefix must be zero (checked for IPv4). */
export const cidr: Parser<Cidr> = (text) => {
  const [network = '', length = '', ...rest] = text.split('/');
  const family = isIP(network);
  const prefixLength = /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  if (rest.length > 0 || (family !== 4 && family !== 6) || !(prefixLength <= (family === 4 ? 32 : 128))) {
    throw new Expected('a network like 10.96.0.0/16');
  }
  if (family === 4) {
    const bits = network.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
    const size = 2 ** (32 - prefixLength);
    const first = bits - (bits % size);
    if (first !== bits) {
      const dotted = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.');
      throw new Expected(`a network without host bits; did you mean ${dotted}/${prefixLength}?`);
    }
  }
  return { text: `${network}/${prefixLength}`, address: network, prefixLength, family };
};

/** Any text that is not empty. */
export const text: Parser<string> = (value) => {
  if (value.trim() === '') throw new Expected('some text');
  return value;
};

export const oneOf =
  <const T extends string>(...values: readonly T[]): Parser<T> =>
  (text) => {
    const found = values.find((value) => value === text);
    if (found === undefined) throw new Expected(`one of ${values.join(', ')}`);
    return found;
  };

/** For a flag without a value (`--detach`); in the environment `true`, `1`, `false` or `0`. */
export const boolean: Parser<boolean> = (text) => {
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw new Expected('true or false');
};

/** One or more values separated by commas. */
export const list =
  <T>(parser: Parser<T>): Parser<readonly T[]> =>
  (text) => {
    try {
      return text.split(',').map((part) => parser(part.trim()));
    } catch (error) {
      throw error instanceof Expected ? new Expected(`${error.message} (several separated by commas)`) : error;
    }
  };
