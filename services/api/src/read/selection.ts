import type { KindDefinition, Kinds } from '@navarch/kinds';
import { parseFieldSelector, parseLabelSelector } from '@navarch/machinery';
import type { CachedObject, ReadonlyObject } from '../cache/cached-object.ts';
import { kindNamed } from './resource-name.ts';

/** What a list, a watch or a collection's deletion chooses by. */
export interface Target {
  readonly resource: string;
  readonly namespace: string;
  readonly labelSelector: string;
  readonly fieldSelector: string;
}

/** Objects of one kind: those in `namespace` (all when empty) that `matches`. */
export interface Selection {
  readonly kind: KindDefinition;
  readonly namespace: string;
  matches(object: CachedObject): boolean;
}

/** Throws BadRequest when the kind is unknown or a selector is malformed, or names a field that can't be selected. */
export function select(kinds: Kinds, target: Target): Selection {
  const kind = kindNamed(kinds, target.resource);
  const namespace = kind.scope === 'Cluster' ? '' : target.namespace;
  const conditions: ((object: ReadonlyObject) => boolean)[] = [];
  if (target.labelSelector !== '') {
    const chosen = parseLabelSelector(target.labelSelector);
    conditions.push(({ metadata }) => chosen(metadata.labels));
  }
  if (target.fieldSelector !== '') conditions.push(parseFieldSelector(target.fieldSelector, kind.selectableFields));
  return {
    kind,
    namespace,
    matches: (object) =>
      (namespace === '' || object.namespace === namespace) &&
      // Without conditions the object is not decoded.
      conditions.every((condition) => condition(object.object)),
  };
}
