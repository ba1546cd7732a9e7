import { type KindDefinition, type Kinds, UnknownKind } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';

/** The kind that a request names: pods, deployments.apps. Throws BadRequest or NotFound. */
export function kindNamed(kinds: Kinds, resource: string): KindDefinition {
  if (resource === '') throw new ApiError('BadRequest', 'resource must name a kind, for example pods');
  const kind = kinds.byResource(resource);
  if (kind === undefined) {
    throw new UnknownKind('NotFound', `the api has no kind "${resource}"; navctl api-resources lists what there is`);
  }
  return kind;
}

/** The namespace of one object of `kind`, or the error that says what is wrong with it. */
export function namespaceOf(kind: KindDefinition, namespace: string): string {
  if (kind.scope === 'Cluster') {
    if (namespace === '') return '';
    throw new ApiError('BadRequest', `${kind.plural} live in no namespace, but the request names "${namespace}"`);
  }
  if (namespace === '')
    throw new ApiError('BadRequest', `${kind.plural} live in namespaces: the request must name one`);
  return namespace;
}

/** As in "deployments.apps "web" in namespace "default"". */
export function describe(kind: KindDefinition, namespace: string, name: string): string {
  return `${kind.resource} "${name}"${namespace === '' ? '' : ` in namespace "${namespace}"`}`;
}

/** In an apiserver's words: clients read them, and kubectl says the namespace itself where it is of use. */
export function notFound(kind: KindDefinition, name: string): ApiError {
  return new ApiError('NotFound', `${kind.resource} "${name}" not found`);
}
