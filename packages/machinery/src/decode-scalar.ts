import type { ValueType } from './schema.ts';

type Scalar = { value: unknown; problem?: string };

/** Reads one JSON value that is neither an object nor a list in its schema. A wrong one gives the zero value and why. */
export function decodeScalar(type: ValueType, json: unknown, intOrString: boolean): Scalar {
  switch (type) {
    case 'string':
      return typeof json === 'string' ? { value: json } : wrong(type, `must be text${quoteHint(json)}`);
    case 'bool':
      return typeof json === 'boolean' ? { value: json } : wrong(type, `must be true or false, not ${short(json)}`);
    case 'int32':
      return decodeInt32(json);
    case 'int64':
      return decodeInt64(json);
    case 'double':
      return typeof json === 'number' ? { value: json } : wrong(type, `must be a number, not ${short(json)}`);
    case 'bytes':
      return decodeBytes(json);
    case 'message':
      return wrong(type, 'must be an object');
    default: // 'value'
      if (!intOrString || typeof json === 'string' || Number.isInteger(json)) return { value: json };
      return { value: undefined, problem: `must be a whole number or text, not ${short(json)}` };
  }
}

/** The value of an unset field without presence. */
export function zeroValue(type: ValueType): unknown {
  switch (type) {
    case 'string':
      return '';
    case 'bool':
      return false;
    case 'int32':
    case 'double':
      return 0;
    case 'int64':
      return 0n;
    case 'bytes':
      return new Uint8Array(0);
    default: // 'value' and 'message'
      return undefined;
  }
}

function decodeInt32(json: unknown): Scalar {
  if (typeof json !== 'number' || !Number.isInteger(json)) {
    return wrong('int32', `must be a whole number, not ${short(json)}`);
  }
  // -0 would be another value than the 0 that comes back from the wire.
  if (json === (json | 0)) return { value: json | 0 };
  return wrong('int32', `must be a number from -2147483648 to 2147483647, not ${json}`);
}

function decodeInt64(json: unknown): Scalar {
  const digits = typeof json === 'string' && /^-?\d{1,19}$/.test(json);
  if (!digits && !Number.isSafeInteger(json)) return wrong('int64', `must be a whole number, not ${short(json)}`);
  const value = BigInt(json as string | number); // just tested
  return BigInt.asIntN(64, value) === value ? { value } : wrong('int64', 'must fit in 64 bits');
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

function decodeBytes(json: unknown): Scalar {
  if (typeof json !== 'string') return wrong('bytes', 'must be text in base64');
  const text = json.replaceAll(/[\r\n]/g, '');
  // The text itself is not repeated: it may be a secret.
  if (!base64.test(text)) return wrong('bytes', 'must be base64 (RFC 4648); plain text goes into stringData or data');
  return { value: new Uint8Array(Buffer.from(text, 'base64')) };
}

function wrong(type: ValueType, problem: string): Scalar {
  return { value: zeroValue(type), problem };
}

function quoteHint(json: unknown): string {
  if (typeof json !== 'number' && typeof json !== 'boolean') return `, not ${short(json)}`;
  return `, not the ${typeof json} ${json}: write "${json}"`;
}

function short(json: unknown): string {
  if (Array.isArray(json)) return 'a list';
  if (typeof json === 'object') return 'an object';
  const text = JSON.stringify(json) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 56)}…"` : text;
}
