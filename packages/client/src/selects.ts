import { type KubeObject, parseFieldSelector, parseLabelSelector } from '@navarch/machinery';
import type { InformerTarget } from './informer-set.ts';

/**
 * Whether a target chooses an object: its namespace and both selectors, as the api itself judges. Throws BadRequest for a
 * selector that can't be read.
 */
export function selects({ kind, namespace = '', labelSelector = '', fieldSelector = '' }: InformerTarget) {
  const labelsFit = parseLabelSelector(labelSelector);
  const fieldsFit = parseFieldSelector(fieldSelector, kind.selectableFields);
  return (object: KubeObject): boolean =>
    (namespace === '' || object.metadata?.namespace === namespace) &&
    labelsFit(object.metadata?.labels) &&
    fieldsFit(object);
}
