import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { Json, JsonObject } from '../encode.ts';
import type { FieldError } from '../errors.ts';
import { formatPath, type PathStep } from '../field-path.ts';
import { isJsonObject } from '../patch/merge-patch.ts';
import { readPattern } from './pattern.ts';
import { uniqueKeys, valueProblem } from './value-problem.ts';

/** Finds everything in a value that breaks a rule of the schema; paths begin at the value. */
export type ValueCheck = (value: Json) => FieldError[];

/** Formats that Kubernetes checks in custom objects; others say something to readers only. */
const checkedFormats = [
  'date',
  'date-time',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uri',
  'uuid',
  'byte',
  'int32',
  'int64',
] as const;

/** The check of a structural schema. Compiles it, which takes milliseconds: keep the result. */
export function valueCheck(schema: JsonObject): ValueCheck {
  return valueChecks()(schema);
}

/** Makes checks of several schemas that are needed for a moment: what they have in common is made once. */
export function valueChecks(): (schema: JsonObject) => ValueCheck {
  // ajv asks for `code`, a name, for schemas that are compiled into files.
  const regExp = Object.assign((pattern: string) => readPattern(pattern), { code: 'readPattern' });
  // What takes most of its time is left out: checking schemas, which structuralErrors has done, and polishing the code.
  const ajv = new Ajv({
    allErrors: true,
    strict: false,
    meta: false,
    validateSchema: false,
    code: { regExp, optimize: false },
  });
  ajv.addKeyword({ keyword: uniqueKeys, type: 'array', schemaType: 'array', validate: keysDiffer });
  addFormats.default(ajv, [...checkedFormats]);
  return (schema) => {
    const validate: ValidateFunction = ajv.compile(translate(schema));
    return (value) => (validate(value) ? [] : problems(validate.errors ?? [], value));
  };
}

function keysDiffer(keys: readonly string[], items: readonly Json[]): boolean {
  const seen = new Set(items.map((item) => JSON.stringify(keys.map((key) => (isJsonObject(item) ? item[key] : item)))));
  return seen.size === items.length;
}

/** OpenAPI v3 as JSON schema: what differs are null, int-or-string and exclusive limits. */
function translate(schema: JsonObject): JsonObject {
  const result: JsonObject = {};
  for (const [name, value] of Object.entries(schema)) {
    if (name.startsWith('x-') || documentation.has(name)) continue;
    if (name === 'format' && !(checkedFormats as readonly unknown[]).includes(value)) continue;
    result[name] = translateKeyword(name, value);
  }
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, nullable } = schema;
  delete result['exclusiveMinimum'];
  delete result['exclusiveMaximum'];
  delete result['nullable'];
  if (exclusiveMinimum === true && minimum !== undefined) {
    result['exclusiveMinimum'] = minimum;
    delete result['minimum'];
  }
  if (exclusiveMaximum === true && maximum !== undefined) {
    result['exclusiveMaximum'] = maximum;
    delete result['maximum'];
  }
  if (schema['x-kubernetes-int-or-string'] === true) {
    result['type'] = ['integer', 'string'];
    delete result['anyOf'];
  }
  if (nullable === true && result['type'] !== undefined) {
    result['type'] = [result['type'], 'null'].flat();
    if (Array.isArray(result['enum'])) result['enum'] = [...result['enum'], null];
  }
  if (schema['x-kubernetes-list-type'] === 'set') result['uniqueItems'] = true;
  if (schema['x-kubernetes-list-type'] === 'map') result[uniqueKeys] = schema['x-kubernetes-list-map-keys'] ?? [];
  if (schema['x-kubernetes-embedded-resource'] === true) {
    const required = Array.isArray(result['required']) ? result['required'] : [];
    result['required'] = [...new Set([...required, 'apiVersion', 'kind'])];
  }
  return result;
}

const documentation = new Set(['description', 'title', 'default', 'example', 'externalDocs']);

function translateKeyword(name: string, value: Json): Json {
  switch (name) {
    case 'properties':
      return isJsonObject(value)
        ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, translateValue(each)]))
        : value;
    case 'items':
    case 'additionalProperties':
    case 'not':
      return translateValue(value);
    case 'allOf':
    case 'anyOf':
    case 'oneOf':
      return Array.isArray(value) ? value.map(translateValue) : value;
    default:
      return value;
  }
}

function translateValue(value: Json): Json {
  return isJsonObject(value) ? translate(value) : value;
}

/** Of what fails below anyOf, oneOf and not, only that the whole fails is told: which branch was meant, nobody knows. */
function problems(errors: readonly ErrorObject[], value: Json): FieldError[] {
  const told = errors.filter(({ schemaPath }) => !/\/(anyOf|oneOf|not)\//.test(schemaPath));
  const found = new Map<string, FieldError>();
  for (const error of told) {
    const { steps, target } = locate(error.instancePath, value);
    const missing: unknown = error.keyword === 'required' ? error.params['missingProperty'] : undefined;
    const path = formatPath(typeof missing === 'string' ? [...steps, missing] : steps);
    const message = valueProblem(error, target);
    found.set(`${path} ${message}`, { path, message });
  }
  return [...found.values()];
}

/** A JSON pointer as the steps of a path, and what stands there. */
function locate(pointer: string, value: Json): { steps: PathStep[]; target: Json | undefined } {
  const steps: PathStep[] = [];
  let target: Json | undefined = value;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(target)) {
      steps.push(Number(name));
      target = target[Number(name)];
    } else {
      steps.push(name);
      target = isJsonObject(target) ? target[name] : undefined;
    }
  }
  return { steps, target };
}
