import { isIP } from 'node:net';
import type { Format } from '@navarch/proto';
import { parseQuantity } from './quantity.ts';

/** DNS_LABEL, QUANTITY …: the names of navarch.meta.v1.Format. */
export type FormatName = Exclude<keyof typeof Format, 'UNSPECIFIED' | 'UNRECOGNIZED'>;

interface FormatRule {
  /** Follows 'must be'. */
  readonly rule: string;
  test(text: string): boolean;
}

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const label1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const nameRule = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const isSubdomain = (text: string) => text.length <= 253 && subdomain.test(text);
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

const formats: Readonly<Record<FormatName, FormatRule>> = {
  DNS_LABEL: {
    rule: 'a DNS label: at most 63 of a-z, 0-9 and -, beginning and ending with a letter or digit (RFC 1123)',
    test: (text) => text.length <= 63 && label.test(text),
  },
  DNS_LABEL_1035: {
    rule: 'a DNS label: at most 63 of a-z, 0-9 and -, beginning with a letter, ending with a letter or digit (RFC 1035)',
    test: (text) => text.length <= 63 && label1035.test(text),
  },
  DNS_SUBDOMAIN: {
    rule: 'a DNS name: at most 253 of a-z, 0-9, - and ., each part beginning and ending with a letter or digit (RFC 1123)',
    test: isSubdomain,
  },
  QUANTITY: {
    rule: 'a quantity: a number with an optional unit, such as 500m, 1.5, 64Mi or 2G',
    test: (text) => parseQuantity(text) !== undefined,
  },
  TIME: {
    rule: 'a time such as 2006-01-02T15:04:05Z (RFC 3339)',
    test: (text) => time.test(text) && !Number.isNaN(Date.parse(text)),
  },
  QUALIFIED_NAME: {
    rule: 'a name of at most 63 letters, digits, -, _ and ., with an optional DNS name and / before it: example.com/my-name',
    test: isQualifiedName,
  },
  LABEL_VALUE: {
    rule: 'a label value: at most 63 letters, digits, -, _ and ., beginning and ending with a letter or digit, or empty',
    test: (text) => text === '' || (text.length <= 63 && nameRule.test(text)),
  },
  IP: { rule: 'an IPv4 or IPv6 address', test: (text) => isIP(text) !== 0 },
  CIDR: { rule: 'a range of addresses such as 10.0.0.0/24', test: isCidr },
  CONFIG_KEY: {
    rule: 'a key of at most 253 letters, digits, -, _ and ., neither . nor beginning with ..',
    test: (text) => text.length <= 253 && /^[-._a-zA-Z0-9]+$/.test(text) && text !== '.' && !text.startsWith('..'),
  },
  PORT: {
    rule: 'a port: a number from 1 to 65535, or a name of at most 15 of a-z, 0-9 and - with a letter in it (RFC 6335)',
    test: isPortName,
  },
  COUNT_OR_PERCENT: {
    rule: 'a whole number that is not negative, or a percentage such as 25%',
    test: (text) => /^\d+%$/.test(text),
  },
  ENV_NAME: {
    rule: 'a name for an environment variable: letters, digits, _, - and ., not beginning with a digit',
    test: (text) => /^[-._a-zA-Z][-._a-zA-Z0-9]*$/.test(text),
  },
  ABSOLUTE_PATH: {
    rule: 'an absolute path: beginning with /, without .. and :',
    test: (text) => text.startsWith('/') && !text.includes(':') && !text.split('/').includes('..'),
  },
};

/** What is wrong with `value` as a `format`, or undefined. The message names the rule. */
export function formatProblem(format: FormatName, value: string | number): string | undefined {
  const rule = formats[format];
  const good = typeof value === 'number' ? isGoodNumber(format, value) : rule.test(value);
  return good ? undefined : `${quote(value)} must be ${rule.rule}`;
}

/** RFC 6335: what a port may be called. */
export function isPortName(text: string): boolean {
  return text.length <= 15 && label.test(text) && /[a-z]/.test(text) && !text.includes('--');
}

function isGoodNumber(format: FormatName, value: number): boolean {
  if (!Number.isInteger(value)) return false;
  if (format === 'PORT') return value >= 1 && value <= 65_535;
  return format === 'COUNT_OR_PERCENT' && value >= 0;
}

function isQualifiedName(text: string): boolean {
  const slash = text.indexOf('/');
  const name = text.slice(slash + 1);
  if (slash >= 0 && !isSubdomain(text.slice(0, slash))) return false;
  return name.length <= 63 && nameRule.test(name);
}

function isCidr(text: string): boolean {
  const [address = '', bits = '', ...more] = text.split('/');
  const version = isIP(address);
  return version !== 0 && more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128);
}

function quote(value: string | number): string {
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 76)}…"` : text;
}
