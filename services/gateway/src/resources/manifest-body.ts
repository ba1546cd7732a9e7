import type { KindDefinition } from '@navarch/kinds';
import { ApiError, duplicateFields } from '@navarch/machinery';
import { FieldValidation } from '@navarch/proto';
import type { BodyText } from '../http/body.ts';
import type { Exchange } from '../http/exchange.ts';
import { badRequest } from '../http/status.ts';
import { shown } from './query.ts';

/** Where a body's object is to go. `name` is '' where the path has none. */
interface Place {
  readonly namespace: string;
  readonly name: string;
}

type Fields = Record<string, unknown>;

/**
 * The manifest in a body, as JSON text: what the path says besides (apiVersion, kind, namespace, name) is filled in, and must
 * not be something else. The text stays as it came when it says all of it. Throws BadRequest.
 */
export function manifestText(
  body: BodyText,
  kind: KindDefinition,
  place: Place,
  { fieldValidation, exchange }: { fieldValidation: FieldValidation; exchange: Exchange },
): string {
  const object = body.json;
  if (!isObject(object)) throw badRequest('the body of the request must hold an object');
  let isChanged = fillIn(object, 'apiVersion', kind.apiVersion, (was) => {
    return `the API version in the data (${was}) does not match the expected API version (${kind.apiVersion})`;
  });
  isChanged =
    fillIn(
      object,
      'kind',
      kind.kind,
      (was) => `the kind in the data (${was}) does not match the expected kind (${kind.kind})`,
    ) || isChanged;
  object['metadata'] ??= {};
  const { metadata } = object;
  if (!isObject(metadata)) throw badRequest('metadata must be an object');
  if (place.namespace !== '') {
    isChanged =
      fillIn(metadata, 'namespace', place.namespace, () => {
        return 'the namespace of the provided object does not match the namespace sent on the request';
      }) || isChanged;
  }
  if (place.name !== '') {
    isChanged =
      fillIn(metadata, 'name', place.name, (was) => {
        return `the name of the object (${was}) does not match the name on the URL (${place.name})`;
      }) || isChanged;
  }
  if (body.text !== undefined && !isChanged) return body.text;
  // The api sees no more what stands twice once the text is written anew.
  sayDuplicates(body, fieldValidation, exchange);
  return JSON.stringify(object);
}

/** Fills in a text; true when it was not there. */
function fillIn(object: Fields, name: string, text: string, problem: (was: string) => string): boolean {
  const was = object[name];
  if (was === undefined || was === null || was === '') {
    object[name] = text;
    return true;
  }
  if (was !== text) throw badRequest(problem(shown(typeof was === 'string' ? was : JSON.stringify(was))));
  return false;
}

function sayDuplicates({ text, hasDuplicates }: BodyText, policy: FieldValidation, { warnings }: Exchange): void {
  if (policy === FieldValidation.IGNORE) return;
  const twice = text === undefined ? (hasDuplicates ? ['a key'] : []) : duplicateFields(text);
  if (twice.length === 0) return;
  const fields = twice.map((path) => ({ path, message: 'stands here twice; the last one would count' }));
  if (policy === FieldValidation.WARN) {
    for (const { path, message } of fields) warnings.add(`${path}: ${message}`);
    return;
  }
  const list = fields.slice(0, 20).map(({ path, message }) => `${path}: ${message}`);
  throw new ApiError('Invalid', `the manifest is invalid: ${list.join('; ')}`, { fields: fields.slice(0, 20) });
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
