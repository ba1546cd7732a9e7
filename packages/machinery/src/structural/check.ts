import type { Json, JsonObject } from '../encode.ts';
import type { FieldError } from '../errors.ts';
import { formatPath, type PathStep } from '../field-path.ts';
import { isJsonObject } from '../patch/merge-patch.ts';
import { closest } from '../suggest.ts';
import { readPattern } from './pattern.ts';

/** Where a schema stands decides what it may say. */
type Place = 'root' | 'field' | 'metadata' | 'logic';

const types = ['object', 'array', 'string', 'integer', 'number', 'boolean'];

/** What a schema can say, and how its value must look. */
const keywords: Readonly<
  Record<string, 'text' | 'number' | 'count' | 'flag' | 'any' | 'list' | 'texts' | 'schemas' | 'schema' | 'fields'>
> = {
  type: 'text',
  format: 'text',
  title: 'text',
  description: 'text',
  default: 'any',
  example: 'any',
  externalDocs: 'any',
  enum: 'list',
  nullable: 'flag',
  pattern: 'text',
  minimum: 'number',
  maximum: 'number',
  exclusiveMinimum: 'flag',
  exclusiveMaximum: 'flag',
  multipleOf: 'number',
  minLength: 'count',
  maxLength: 'count',
  minItems: 'count',
  maxItems: 'count',
  uniqueItems: 'flag',
  minProperties: 'count',
  maxProperties: 'count',
  required: 'texts',
  items: 'schema',
  properties: 'fields',
  additionalProperties: 'any',
  allOf: 'schemas',
  anyOf: 'schemas',
  oneOf: 'schemas',
  not: 'schema',
  'x-kubernetes-int-or-string': 'flag',
  'x-kubernetes-preserve-unknown-fields': 'flag',
  'x-kubernetes-embedded-resource': 'flag',
  'x-kubernetes-list-type': 'text',
  'x-kubernetes-list-map-keys': 'texts',
  'x-kubernetes-map-type': 'text',
  'x-kubernetes-validations': 'any',
};

/** What stands in allOf, anyOf, oneOf and not only narrows values: it can't say what a field is. */
const notInLogic = [
  'description',
  'type',
  'default',
  'additionalProperties',
  'nullable',
  'title',
  'x-kubernetes-int-or-string',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
  'x-kubernetes-validations',
];

/**
 * Everything that keeps a schema from being structural, or that this api does not support, with its path below `at`.
 * Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions
 */
export function structuralErrors(schema: Json | undefined, at: readonly PathStep[]): FieldError[] {
  const check = new SchemaCheck(at);
  if (isJsonObject(schema)) check.schema(schema, 'root', schema);
  else check.report('must be an object: the schema of the kind');
  return check.errors;
}

class SchemaCheck {
  readonly errors: FieldError[] = [];
  readonly #path: PathStep[];

  constructor(at: readonly PathStep[]) {
    this.#path = [...at];
  }

  report(message: string): void {
    this.errors.push({ path: formatPath(this.#path), message });
  }

  #at(step: PathStep, run: () => void): void {
    this.#path.push(step);
    run();
    this.#path.pop();
  }

  /** `field` is the schema of the same value outside of all logic. */
  schema(schema: JsonObject, place: Place, field: JsonObject | undefined): void {
    this.#keywords(schema, place);
    if (place !== 'logic') this.#type(schema, place);
    const { properties, additionalProperties, items } = schema;
    if (isJsonObject(properties)) {
      this.#at('properties', () => {
        for (const [name, value] of Object.entries(properties)) {
          if (!isJsonObject(value)) continue; // reported as a keyword
          const outer = fieldOf(field, name);
          this.#at(name, () => {
            if (place === 'logic' && outer === undefined) {
              this.report('is not named outside of allOf, anyOf, oneOf and not: only that says what a field is');
            }
            const inner = place === 'root' && name === 'metadata' ? 'metadata' : place === 'logic' ? 'logic' : 'field';
            this.schema(value, inner, outer);
          });
        }
      });
    }
    if (isJsonObject(items)) this.#at('items', () => this.schema(items, inside(place), child(field, 'items')));
    if (isJsonObject(additionalProperties) && place !== 'logic') {
      this.#at('additionalProperties', () =>
        this.schema(additionalProperties, 'field', child(field, 'additionalProperties')),
      );
    }
    for (const name of ['allOf', 'anyOf', 'oneOf'] as const) {
      const list = schema[name];
      if (!Array.isArray(list)) continue;
      for (const [index, each] of list.entries()) {
        if (isJsonObject(each)) this.#at(name, () => this.#at(index, () => this.#logic(each, field, schema)));
      }
    }
    const { not } = schema;
    if (isJsonObject(not)) this.#at('not', () => this.#logic(not, field, schema));
  }

  /** int-or-string may name both of its types. */
  #logic(schema: JsonObject, field: JsonObject | undefined, parent: JsonObject): void {
    const onlyType = Object.keys(schema).every((key) => key === 'type');
    if (parent['x-kubernetes-int-or-string'] === true && onlyType) return;
    this.schema(schema, 'logic', field);
  }

  #keywords(schema: JsonObject, place: Place): void {
    for (const [name, value] of Object.entries(schema)) {
      this.#at(name, () => {
        const form = Object.hasOwn(keywords, name) ? keywords[name] : undefined;
        if (form === undefined) this.report(unknownKeyword(name));
        else if (place === 'logic' && notInLogic.includes(name)) {
          this.report('must not stand in allOf, anyOf, oneOf and not: only outside of them it says what a field is');
        } else this.#form(form, value);
      });
    }
    if (place === 'metadata') {
      const { properties = {} } = schema;
      for (const name of Object.keys(isJsonObject(properties) ? properties : {})) {
        if (name === 'name' || name === 'generateName') continue;
        this.#at('properties', () =>
          this.#at(name, () => this.report('the metadata of a kind can be narrowed by name and generateName only')),
        );
      }
    }
  }

  #form(form: (typeof keywords)[string], value: Json): void {
    const isList = Array.isArray(value);
    const right = {
      text: () => typeof value === 'string',
      number: () => typeof value === 'number',
      count: () => Number.isInteger(value) && Number(value) >= 0,
      flag: () => typeof value === 'boolean',
      any: () => true,
      list: () => isList && value.length > 0,
      texts: () => isList && value.every((item) => typeof item === 'string'),
      schemas: () => isList && value.every(isJsonObject),
      schema: () => isJsonObject(value),
      fields: () => isJsonObject(value) && Object.values(value).every(isJsonObject),
    };
    const words = {
      text: 'text',
      number: 'a number',
      count: 'a whole number of 0 or more',
      flag: 'true or false',
      any: '',
      list: 'a list of values',
      texts: 'a list of texts',
      schemas: 'a list of schemas',
      schema: 'a schema',
      fields: 'an object of names and schemas',
    };
    if (!right[form]()) this.report(`must be ${words[form]}`);
  }

  #type(schema: JsonObject, place: Place): void {
    const { type, properties, additionalProperties, items, pattern } = schema;
    const open = schema['x-kubernetes-preserve-unknown-fields'] === true;
    const intOrString = schema['x-kubernetes-int-or-string'] === true;
    if (place === 'root' && type !== 'object') this.#at('type', () => this.report('must be object: a kind is one'));
    else if (type === undefined || type === '') {
      if (!open && !intOrString) {
        this.#at('type', () => this.report(`must be set, to one of ${types.join(', ')}`));
      }
    } else if (typeof type === 'string' && !types.includes(type)) {
      this.#at('type', () => this.report(`"${type}" must be one of ${types.join(', ')}`));
    } else if (intOrString) {
      this.#at('type', () => this.report('must not be set together with x-kubernetes-int-or-string'));
    }
    if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
      this.#at('x-kubernetes-preserve-unknown-fields', () => this.report('must be true, or not be there'));
    }
    if (properties !== undefined && additionalProperties !== undefined) {
      this.#at('additionalProperties', () => this.report('must not stand beside properties'));
    }
    if (additionalProperties === false) {
      this.#at('additionalProperties', () =>
        this.report('must not be false: fields that the schema lacks are left out in any case'),
      );
    } else if (
      additionalProperties !== undefined &&
      additionalProperties !== true &&
      !isJsonObject(additionalProperties)
    ) {
      this.#at('additionalProperties', () => this.report('must be a schema, or true'));
    }
    if (type === 'array' && items === undefined)
      this.#at('items', () => this.report('must be set: what is in the list'));
    if (schema['uniqueItems'] === true) {
      this.#at('uniqueItems', () => this.report('is not supported; say x-kubernetes-list-type: set'));
    }
    if (schema['x-kubernetes-embedded-resource'] === true) {
      if (type !== 'object') this.#at('x-kubernetes-embedded-resource', () => this.report('needs type: object'));
      else if (properties === undefined && !open) {
        this.#at('x-kubernetes-embedded-resource', () =>
          this.report('needs properties, or x-kubernetes-preserve-unknown-fields: true'),
        );
      }
    }
    if (schema['x-kubernetes-validations'] !== undefined) {
      this.#at('x-kubernetes-validations', () =>
        this.report(
          'rules in CEL are not supported: take them out, and say what you can by pattern, enum, minimum and the like',
        ),
      );
    }
    if (typeof pattern === 'string') this.#at('pattern', () => this.#pattern(pattern));
    this.#list(schema);
    const mapType = schema['x-kubernetes-map-type'];
    if (mapType !== undefined && mapType !== 'atomic' && mapType !== 'granular') {
      this.#at('x-kubernetes-map-type', () => this.report('must be one of atomic, granular'));
    }
  }

  #pattern(pattern: string): void {
    try {
      readPattern(pattern);
    } catch (error) {
      this.report(`can not be read: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #list(schema: JsonObject): void {
    const listType = schema['x-kubernetes-list-type'];
    const keys = schema['x-kubernetes-list-map-keys'];
    if (listType !== undefined && listType !== 'atomic' && listType !== 'set' && listType !== 'map') {
      this.#at('x-kubernetes-list-type', () => this.report('must be one of atomic, set, map'));
    } else if (listType !== undefined && schema['type'] !== 'array') {
      this.#at('x-kubernetes-list-type', () => this.report('needs type: array'));
    }
    if (listType === 'map' && (!Array.isArray(keys) || keys.length === 0)) {
      this.#at('x-kubernetes-list-map-keys', () => this.report('must name the fields that tell the items apart'));
    }
    if (keys !== undefined && listType !== 'map') {
      this.#at('x-kubernetes-list-map-keys', () => this.report('needs x-kubernetes-list-type: map'));
    }
    if (listType !== 'map' || !Array.isArray(keys)) return;
    const item = schema['items'];
    for (const [index, key] of keys.entries()) {
      if (typeof key !== 'string' || fieldOf(isJsonObject(item) ? item : undefined, key) !== undefined) continue;
      this.#at('x-kubernetes-list-map-keys', () =>
        this.#at(index, () => this.report(`"${key}" must be one of the properties of items`)),
      );
    }
  }
}

function unknownKeyword(name: string): string {
  if (name === '$ref' || name === 'definitions') return 'is not supported: write the schema out where it is used';
  const guess = closest(name, Object.keys(keywords));
  return guess === undefined
    ? 'is no part of a structural schema'
    : `is no part of a structural schema; did you mean "${guess}"?`;
}

function inside(place: Place): Place {
  return place === 'logic' ? 'logic' : 'field';
}

function child(schema: JsonObject | undefined, name: string): JsonObject | undefined {
  const value = schema?.[name];
  return isJsonObject(value) ? value : undefined;
}

function fieldOf(schema: JsonObject | undefined, name: string): JsonObject | undefined {
  return child(child(schema, 'properties'), name) ?? child(schema, 'additionalProperties');
}
