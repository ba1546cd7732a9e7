import type { KindDefinition } from '@navarch/kinds';
import type { Subresource } from '../subresources/subresource.ts';
import { type Dialect, gvk, type Schema } from './schemas.ts';

/** What can be asked for: name, type, what it means. */
const query = {
  allowWatchBookmarks: ['boolean', 'Tell now and then how far the changes are.'],
  continue: ['string', 'Go on after an earlier answer.'],
  dryRun: ['string', 'All: do everything but keep it.'],
  fieldManager: ['string', 'Who writes.'],
  fieldSelector: ['string', 'Only objects with these field values.'],
  fieldValidation: ['string', 'What happens to unknown and repeated fields: Strict, Warn or Ignore.'],
  force: ['boolean', 'Take the fields that others have set.'],
  gracePeriodSeconds: ['integer', 'Seconds to end gracefully.'],
  labelSelector: ['string', 'Only objects with these labels.'],
  limit: ['integer', 'At most this many.'],
  propagationPolicy: ['string', 'What happens to dependents: Background, Foreground or Orphan.'],
  resourceVersion: ['string', 'How new what is read must be.'],
  resourceVersionMatch: ['string', 'How resourceVersion is meant: NotOlderThan or Exact.'],
  sendInitialEvents: ['boolean', 'Begin a watch with what there is.'],
  timeoutSeconds: ['integer', 'End after this time.'],
  watch: ['boolean', 'Tell changes, as they happen.'],
} as const satisfies Record<string, readonly [type: string, description: string]>;

type Query = keyof typeof query;

const choosing: readonly Query[] = [
  'fieldSelector',
  'labelSelector',
  'limit',
  'continue',
  'resourceVersion',
  'resourceVersionMatch',
  'timeoutSeconds',
];
const writing: readonly Query[] = ['dryRun', 'fieldManager', 'fieldValidation'];
const deleting: readonly Query[] = ['dryRun', 'gracePeriodSeconds', 'propagationPolicy'];
const watching: readonly Query[] = ['allowWatchBookmarks', 'sendInitialEvents', 'watch'];

const bodyTypes = ['application/json', 'application/yaml'];
const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];

export interface KindSchemas {
  readonly one: Schema;
  readonly list: Schema;
  readonly status: Schema;
}

/** The paths of a kind: of its objects, of one of them, and of the parts of one. */
export function kindPaths(
  kind: KindDefinition,
  schemas: KindSchemas,
  subresources: readonly Subresource[],
  dialect: Dialect,
): Schema {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const isNamespaced = kind.scope === 'Namespaced';
  const collection = `${root}${isNamespaced ? '/namespaces/{namespace}' : ''}/${kind.plural}`;
  const make = operations(kind, dialect);
  const places = isNamespaced ? ['namespace'] : [];
  const { one, list, status } = schemas;
  const item = {
    get: make('get', [], one),
    put: make('put', writing, one, one),
    patch: make('patch', [...writing, 'force'], one, {}),
    delete: make('delete', deleting, status),
    parameters: pathParameters([...places, 'name'], dialect),
  };
  const parts = subresources.map((part) => [
    `${collection}/{name}/${part.name}`,
    {
      ...(part.verbs.get && { get: make('get', [], one) }),
      ...(part.verbs.create && { post: make('post', writing, status, {}) }),
      ...(part.verbs.update && { put: make('put', writing, one, one) }),
      ...(part.verbs.patch && { patch: make('patch', [...writing, 'force'], one, {}) }),
      parameters: pathParameters([...places, 'name'], dialect),
    },
  ]);
  return {
    ...(isNamespaced && { [`${root}/${kind.plural}`]: { get: make('list', [...choosing, ...watching], list) } }),
    [collection]: {
      get: make('list', [...choosing, ...watching], list),
      post: make('post', writing, one, one),
      delete: make('deletecollection', [...choosing, ...deleting], status),
      ...(places.length > 0 && { parameters: pathParameters(places, dialect) }),
    },
    [`${collection}/{name}`]: item,
    ...Object.fromEntries(parts),
  };
}

function operations(kind: KindDefinition, dialect: Dialect) {
  return (action: string, names: readonly Query[], answer: Schema, body?: Schema): Schema => {
    const consumes = action === 'patch' ? patchTypes : bodyTypes;
    const parameters = names.map((name) => {
      const [type, description] = query[name];
      const typed = dialect === 'v2' ? { type, uniqueItems: true } : { schema: { type, uniqueItems: true } };
      return { name, in: 'query', description, ...typed };
    });
    const bodyParameter = { name: 'body', in: 'body', required: true, schema: body };
    const content = (types: readonly string[], schema: Schema) =>
      Object.fromEntries(types.map((type) => [type, { schema }]));
    const common = {
      'x-kubernetes-action': action,
      'x-kubernetes-group-version-kind': gvk(kind),
      tags: [kind.apiVersion],
    };
    if (dialect === 'v2') {
      return {
        ...common,
        consumes: body === undefined ? ['*/*'] : consumes,
        produces: bodyTypes,
        parameters: body === undefined ? parameters : [...parameters, bodyParameter],
        responses: { '200': { description: 'OK', schema: answer } },
      };
    }
    return {
      ...common,
      parameters,
      ...(body !== undefined && { requestBody: { required: true, content: content(consumes, body) } }),
      responses: { '200': { description: 'OK', content: content(bodyTypes, answer) } },
    };
  };
}

function pathParameters(names: readonly string[], dialect: Dialect): readonly Schema[] {
  const typed =
    dialect === 'v2' ? { type: 'string', uniqueItems: true } : { schema: { type: 'string', uniqueItems: true } };
  return names.map((name) => ({ name, in: 'path', required: true, description: `The ${name}.`, ...typed }));
}
