import type { KindDefinition } from '@navarch/kinds';
import type { Served } from '../routes/resource-router.ts';
import type { VirtualResource } from '../virtual/virtual-resource.ts';
import { type KindSchemas, kindPaths } from './paths.ts';
import { type Dialect, gvk, type Schema, Schemas, typeFields } from './schemas.ts';

const statusName = 'io.k8s.apimachinery.pkg.apis.meta.v1.Status';
const status: Schema = {
  description: 'How a request ended that is not answered with an object.',
  type: 'object',
  properties: {
    ...typeFields,
    code: { description: "HTTP's code.", type: 'integer', format: 'int32' },
    message: { description: 'In a sentence.', type: 'string' },
    reason: { description: 'In a word.', type: 'string' },
    status: { description: 'Success or Failure.', type: 'string' },
    details: { description: 'Of what, and what about it.', type: 'object' },
  },
  'x-kubernetes-group-version-kind': [{ group: '', kind: 'Status', version: 'v1' }],
};

/** The OpenAPI 3.0 document of one group and version. */
export function documentV3(
  kinds: readonly KindDefinition[],
  virtual: readonly VirtualResource[],
  served: Served,
  version: string,
) {
  const { paths, schemas } = describe(kinds, virtual, served, 'v3');
  return { openapi: '3.0.0', info: { title: 'Navarch', version }, paths, components: { schemas } };
}

/** The OpenAPI 2.0 document of everything. */
export function documentV2(kinds: readonly KindDefinition[], served: Served, version: string) {
  const { paths, schemas } = describe(kinds, served.virtual, served, 'v2');
  return { swagger: '2.0', info: { title: 'Navarch', version }, paths, definitions: schemas };
}

function describe(
  kinds: readonly KindDefinition[],
  virtual: readonly VirtualResource[],
  { subresources }: Served,
  dialect: Dialect,
) {
  const schemas = new Schemas(dialect);
  const statusRef = schemas.addNamed(statusName, status);
  const paths: Record<string, unknown> = {};
  for (const kind of kinds) {
    const refs: KindSchemas = { ...schemas.addKind(kind), status: statusRef };
    const parts = subresources.filter((part) => part.has(kind));
    Object.assign(paths, kindPaths(kind, refs, parts, dialect));
  }
  for (const each of virtual) Object.assign(paths, virtualPaths(schemas, each, dialect));
  return { paths, schemas: schemas.all };
}

function virtualPaths(schemas: Schemas, each: VirtualResource, dialect: Dialect): Record<string, unknown> {
  const { group, version, kind, plural, scope, verbs, schema, description } = each;
  const name = `io.k8s.api.${group.split('.', 1)[0] || 'core'}.${version}.${kind}`;
  const properties = { ...typeFields, metadata: { type: 'object' }, ...schema };
  const ref = schemas.addNamed(name, {
    description,
    type: 'object',
    properties,
    'x-kubernetes-group-version-kind': [gvk(each)],
  });
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const path = `${root}${scope === 'Namespaced' ? '/namespaces/{namespace}' : ''}/${plural}`;
  const answer =
    dialect === 'v2'
      ? { description: 'OK', schema: ref }
      : { description: 'OK', content: { 'application/json': { schema: ref } } };
  const operation = { 'x-kubernetes-group-version-kind': gvk(each), responses: { '200': answer } };
  return { [path]: { ...(verbs.create && { post: operation }), ...(verbs.list && { get: operation }) } };
}
