import type { ErrorObject } from 'ajv';
import type { Json } from '../encode.ts';
import { closest } from '../suggest.ts';

/** The keyword for lists whose items are told apart by keys. */
export const uniqueKeys = 'uniqueKeys';

const typeWords: Readonly<Record<string, string>> = {
  object: 'an object',
  array: 'a list',
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  null: 'null',
};

/** What an error of ajv says, in the words that errors of built-in kinds have. */
export function valueProblem({ keyword, params, message = '' }: ErrorObject, value: Json | undefined): string {
  const param = (name: string) => String((params as Record<string, unknown>)[name]);
  const limit = param('limit');
  switch (keyword) {
    case 'required':
      return 'must be set';
    case 'type': {
      const wanted = [(params as { type: string | string[] }).type].flat(); // as ajv documents it
      const words = wanted.map((type) => typeWords[type] ?? type).join(' or ');
      const quote = wanted.includes('string') && (typeof value === 'number' || typeof value === 'boolean');
      return `must be ${words}, not ${short(value)}${quote ? `: write "${String(value)}"` : ''}`;
    }
    case 'enum': {
      const allowed = (params as { allowedValues: readonly Json[] }).allowedValues;
      const words = allowed.map((each) => (typeof each === 'string' ? each : JSON.stringify(each)));
      return `${short(value)} must be one of ${words.join(', ')}${guess(value, words)}`;
    }
    case 'minimum':
      return `${short(value)} must be at least ${limit}`;
    case 'maximum':
      return `${short(value)} must be at most ${limit}`;
    case 'exclusiveMinimum':
      return `${short(value)} must be more than ${limit}`;
    case 'exclusiveMaximum':
      return `${short(value)} must be less than ${limit}`;
    case 'multipleOf':
      return `${short(value)} must be a multiple of ${param('multipleOf')}`;
    case 'minLength':
      return `must have at least ${limit} characters`;
    case 'maxLength':
      return `must have at most ${limit} characters`;
    case 'minItems':
    case 'minProperties':
      return `must have at least ${limit} items`;
    case 'maxItems':
    case 'maxProperties':
      return `must have at most ${limit} items`;
    case 'uniqueItems':
      return `items ${param('i')} and ${param('j')} are the same; each may stand there once`;
    case uniqueKeys:
      return 'has two items with the same key';
    case 'pattern':
      return `${short(value)} must match ${param('pattern')}`;
    case 'format':
      return `${short(value)} must be ${formatWords[param('format')] ?? param('format')}`;
    case 'anyOf':
      return 'must match one of the schemas in anyOf';
    case 'oneOf':
      return 'must match exactly one of the schemas in oneOf';
    case 'not':
      return 'must not match the schema in not';
    default:
      return message;
  }
}

const formatWords: Readonly<Record<string, string>> = {
  date: 'a date, 2006-01-02',
  'date-time': 'a time, 2006-01-02T15:04:05Z',
  email: 'an email address',
  hostname: 'a host name',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
  uri: 'a URI',
  uuid: 'a UUID',
  byte: 'base64',
  int32: 'a number from -2147483648 to 2147483647',
  int64: 'a whole number of 64 bits',
};

/** Of very short words everything is near. */
function guess(value: Json | undefined, words: readonly string[]): string {
  const near = typeof value === 'string' && value.length > 2 ? closest(value, words) : undefined;
  return near === undefined ? '' : `; did you mean "${near}"?`;
}

function short(value: Json | undefined): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 56)}…"` : text;
}
