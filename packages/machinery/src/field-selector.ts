import { ApiError } from './errors.ts';
import type { KubeObject } from './object.ts';
import { closest } from './suggest.ts';

type Reader<T> = { read(object: T): string }['read'];

/**
 * Parses `spec.nodeName=n1,status.phase!=Failed` (also ==; \, \= and \\ stand for themselves in values) into a predicate.
 * `fields` are those that may be named, beyond metadata.name and metadata.namespace. Throws BadRequest for others.
 */
export function parseFieldSelector<T extends KubeObject>(
  text: string,
  fields: Readonly<Record<string, Reader<T>>>,
): (object: T) => boolean {
  const tests = splitConditions(text).map((condition) => readCondition(condition, fields));
  return (object) => tests.every((test) => test(object));
}

/** The fields that must have one value, by path: what an index can use. */
export function requiredFieldValues(text: string): ReadonlyMap<string, string> {
  const required = new Map<string, string>();
  for (const condition of splitConditions(text)) {
    const match = conditionPattern.exec(condition);
    if (match?.[2] !== undefined && match[2] !== '!=')
      required.set((match[1] ?? '').trim(), unescapeValue(match[3] ?? ''));
  }
  return required;
}

/** A value as a field selector spells it. */
export function escapeFieldValue(value: string): string {
  return value.replaceAll(/[\\,=]/g, (symbol) => `\\${symbol}`);
}

const conditionPattern = /^([^=!]*)(!=|==|=)((?:\\.|[^\\])*)$/s;

const metadataFields: Readonly<Record<string, Reader<KubeObject>>> = {
  'metadata.name': ({ metadata }) => metadata?.name ?? '',
  'metadata.namespace': ({ metadata }) => metadata?.namespace ?? '',
};

function readCondition<T extends KubeObject>(
  condition: string,
  fields: Readonly<Record<string, Reader<T>>>,
): (object: T) => boolean {
  const match = conditionPattern.exec(condition);
  if (match === null) {
    throw new ApiError('BadRequest', `field selector "${condition}": expected field=value or field!=value`);
  }
  const path = (match[1] ?? '').trim();
  const value = unescapeValue(match[3] ?? '');
  const read = Object.hasOwn(metadataFields, path)
    ? metadataFields[path]
    : Object.hasOwn(fields, path)
      ? fields[path]
      : undefined;
  if (read === undefined) throw new ApiError('BadRequest', unknownField(path, fields));
  return match[2] === '!=' ? (object) => read(object) !== value : (object) => read(object) === value;
}

function unknownField(path: string, fields: object): string {
  const known = [...Object.keys(metadataFields), ...Object.keys(fields)];
  const guess = closest(path, known);
  const hint = guess === undefined ? `these can be used: ${known.join(', ')}` : `did you mean "${guess}"?`;
  return `objects can not be selected by the field "${path}"; ${hint}`;
}

function splitConditions(text: string): string[] {
  const parts = text.match(/(?:\\.|[^\\,])+/gs) ?? [];
  // Whatever stands beside them must be commas: the text would otherwise choose more than it says.
  if (text.replaceAll(/\\./gs, '').endsWith('\\')) {
    throw new ApiError('BadRequest', `field selector "${text}": nothing follows the last \\`);
  }
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

function unescapeValue(value: string): string {
  return value.replaceAll(/\\(.)/gs, '$1').trim();
}
