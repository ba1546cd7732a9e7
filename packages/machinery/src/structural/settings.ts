import type { Json, JsonObject } from '../encode.ts';
import type { FieldError } from '../errors.ts';
import { isJsonObject } from '../patch/merge-patch.ts';
import { type Position, readYaml } from '../yaml.ts';
import { completeValue, unknownFields } from './complete.ts';
import { readNode } from './node.ts';
import { valueCheck } from './value-check.ts';

/** One thing wrong with a file, and where. */
export interface PlacedError extends FieldError {
  readonly position: Position;
}

export interface Settings<T> {
  /** With defaults filled in; undefined when anything is wrong. */
  readonly value: T | undefined;
  /** All that is wrong, from top to bottom. */
  readonly errors: readonly PlacedError[];
}

/**
 * Reads a process' settings file: one document of YAML or JSON that must fit a structural schema, unknown fields being errors.
 * `check` says what else is wrong with a value that fits. T is the caller's word for values that fit.
 */
// eslint-disable-next-line typescript/no-unnecessary-type-parameters -- what the caller knows and the schema can't say
export function readSettings<T>(
  text: string,
  schema: JsonObject,
  check: (value: T) => readonly FieldError[] = () => [],
): Settings<T> {
  const { documents, errors } = readYaml(text);
  const wrong = errors.map(({ position, message }): PlacedError => ({ position, path: '', message }));
  const [document, second] = documents;
  if (second !== undefined) {
    wrong.push({ position: second.locate(''), path: '', message: 'a second document; there must be one' });
  }
  if (document === undefined && wrong.length === 0) {
    wrong.push({ position: { line: 1, column: 1 }, path: '', message: 'is empty' });
  }
  if (document === undefined || wrong.length > 0) return { value: undefined, errors: wrong };
  const node = readNode(schema);
  const json = document.json as Json; // what a YAML document holds
  const value = completeValue(node, json);
  const unknown = isJsonObject(json) ? unknownFields(node, json) : [];
  const unfit = [...unknown, ...valueCheck(schema)(value)];
  const all = unfit.length > 0 ? unfit : check(value as T);
  const placed = all.map((error): PlacedError => ({ ...error, position: document.locate(error.path) }));
  placed.sort((a, b) => a.position.line - b.position.line || a.position.column - b.position.column);
  return { value: placed.length > 0 ? undefined : (value as T), errors: placed };
}
