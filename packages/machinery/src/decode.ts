import { decodeScalar, zeroValue } from './decode-scalar.ts';
import type { FieldError } from './errors.ts';
import { formatPath, type PathStep } from './field-path.ts';
import type { FieldSchema, MessageSchema } from './schema.ts';
import { closest } from './suggest.ts';

/** A generated message, seen as a record of its properties. */
export type MessageRecord = Record<string, unknown>;

/**
 * Reads the manifest form of a message strictly: unknown fields, wrong types and numbers out of range are errors, all of
 * them (up to a thousand) reported at once, with paths below `at`. `null` counts as absent. The value has the shape that ts-proto's decoders
 * give (unset strings '', lists [], maps {}), also when there are errors; then it holds what was right.
 * T is the caller's word for the generated type of `schema`.
 */
// eslint-disable-next-line typescript/no-unnecessary-type-parameters -- what the caller knows and the schema can't say
export function decodeObject<T>(
  schema: MessageSchema,
  json: unknown,
  at: readonly PathStep[] = [],
): { value: T; errors: FieldError[] } {
  if (schema.own !== undefined) {
    const { value, errors } = schema.own.decode(json, at);
    return { value: value as T, errors };
  }
  const errors: FieldError[] = [];
  const path = [...at];
  const counts = { unknown: 0, wrong: 0 };
  const report: Report = (message, sort = 'wrong') => {
    if (counts[sort]++ >= maxErrors) return;
    const text = typeof message === 'string' ? message : message();
    errors.push({ path: formatPath(path), message: text, ...(sort === 'unknown' && { unknown: true }) });
  };
  return { value: decodeMessage(schema, json, path, report) as T, errors };
}

/** The message with every field unset, as ts-proto makes it. */
export function emptyMessage(schema: MessageSchema): MessageRecord {
  const value: MessageRecord = {};
  for (const field of schema.fields) value[field.property] = unset(field);
  return value;
}

/**
 * Of each sort, since those of one may be let through. Nobody reads more; and each costs more than the value that is wrong.
 */
const maxErrors = 1_000;

type Report = (message: string | (() => string), sort?: 'unknown' | 'wrong') => void;

function decodeMessage(schema: MessageSchema, json: unknown, path: PathStep[], report: Report): MessageRecord {
  const value = emptyMessage(schema);
  if (!isObject(json)) {
    report(`must be an object, not ${describe(json)}`);
    return value;
  }
  for (const [name, item] of Object.entries(json)) {
    path.push(name);
    const field = schema.byJsonName.get(name);
    if (field === undefined) report(() => unknownField(name, schema), 'unknown');
    else if (item !== null && item !== undefined) value[field.property] = decodeField(field, item, path, report);
    path.pop();
  }
  return value;
}

function decodeField(field: FieldSchema, json: unknown, path: PathStep[], report: Report): unknown {
  switch (field.cardinality) {
    case 'one':
      return decodeValue(field, json, path, report);
    case 'list':
      if (Array.isArray(json)) return json.map((item, index) => within(path, index, () => decodeItem(field, item)));
      report(`must be a list, not ${describe(json)}`);
      return [];
    default: {
      if (!isObject(json)) {
        report(`must be an object of names and values, not ${describe(json)}`);
        return {};
      }
      const entries = Object.entries(json).map(([key, item]) => [
        key,
        within(path, key, () => decodeItem(field, item)),
      ]);
      return Object.fromEntries(entries);
    }
  }

  function decodeItem(field: FieldSchema, item: unknown): unknown {
    if (item !== null && item !== undefined) return decodeValue(field, item, path, report);
    // In a map of texts, a key without a value is the empty text, as in Kubernetes.
    if (field.cardinality === 'list') report('must not be null');
    return field.message === undefined ? zeroValue(field.type) : emptyMessage(field.message);
  }
}

function within<R>(path: PathStep[], step: PathStep, decode: () => R): R {
  path.push(step);
  const result = decode();
  path.pop();
  return result;
}

function decodeValue(field: FieldSchema, json: unknown, path: PathStep[], report: Report): unknown {
  if (field.message !== undefined) return decodeMessage(field.message, json, path, report);
  const intOrString = field.rules.format !== undefined;
  const { value, problem } = decodeScalar(field.type, json, intOrString);
  if (problem !== undefined) report(problem);
  return value;
}

function unset(field: FieldSchema): unknown {
  if (field.cardinality === 'list') return [];
  if (field.cardinality === 'map') return {};
  return field.presence ? undefined : zeroValue(field.type);
}

function unknownField(name: string, schema: MessageSchema): string {
  const guess = closest(name, schema.byJsonName.keys());
  return guess === undefined
    ? `unknown field; ${schema.name} has ${[...schema.byJsonName.keys()].join(', ')}`
    : `unknown field; did you mean "${guess}"?`;
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

/** What a JSON value is, for messages. */
function describe(json: unknown): string {
  if (json === null || json === undefined) return 'empty';
  if (Array.isArray(json)) return 'a list';
  return typeof json === 'object' ? 'an object' : `a ${typeof json === 'boolean' ? 'boolean' : typeof json}`;
}
