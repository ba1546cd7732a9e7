import { builtinKinds, customKinds, customResourceDefinition, definitionStatus, UnknownKind } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';
import type { CustomResourceDefinition } from '@navarch/proto';
import { describe } from '../../read/resource-name.ts';
import type { Circumstances } from '../write.ts';
import type { Admitted, Link, Step } from './link.ts';

/** Whoever removes a definition's objects removes this from it, and only then the definition goes. */
const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

/** A custom kind needs its definition as it was when the object was read; a definition has its status from the api. */
export const customKindsLink: Link = {
  admit: (step) => {
    if (step.kind.custom !== undefined) return admitObject(step);
    if (step.kind.case === customResourceDefinition.case) admitDefinition(step);
    return undefined;
  },
};

/** Nothing is made of a kind that is going, and no object by a schema that is no longer the definition's. */
function admitObject({ circumstances: { view }, kind, next, previous }: Step): Admitted | undefined {
  const { definition = '', uid, generation } = kind.custom ?? {};
  const cached = view.get(customResourceDefinition, '', definition);
  const { metadata } = cached?.object ?? {};
  if (cached === undefined || metadata?.uid !== uid || metadata?.generation !== generation) {
    const { namespace, name } = next.metadata;
    throw new UnknownKind('Conflict', `the definition of ${describe(kind, namespace, name)} has changed; try again`);
  }
  if (previous !== undefined) return undefined;
  if (metadata?.deletionTimestamp !== '') {
    throw new ApiError('Forbidden', `${kind.resource} is being deleted: no ${kind.plural} can be created`);
  }
  return { compare: [{ key: cached.key, modRevision: cached.revision }] };
}

function admitDefinition({ circumstances, next, previous }: Step): void {
  const { finalizers } = next.metadata;
  if (previous === undefined && !finalizers.includes(cleanupFinalizer)) {
    next.metadata = { ...next.metadata, finalizers: [...finalizers, cleanupFinalizer] };
  }
  const definition = next as CustomResourceDefinition; // the kind says what it is
  next.status = definitionStatus(definition, othersOf(circumstances, definition), circumstances.now);
}

/** The kinds that others have in a definition's group. */
function othersOf({ view }: Circumstances, { metadata, spec }: CustomResourceDefinition) {
  const custom = [...view.list(customResourceDefinition)]
    .filter(({ name }) => name !== metadata?.name)
    .flatMap(({ object }) => customKinds(object as CustomResourceDefinition)) // the kind says what it is
    .map(({ kind }) => kind);
  return [...builtinKinds.all, ...custom].filter(({ group }) => group === spec?.group);
}
