import type { KubeObject } from '@navarch/machinery';
import type { InformerTarget } from './informer-set.ts';

/** Whether a target chooses an object: its namespace and both selectors, as the api itself would judge. */
export function selects({ kind, namespace, labelSelector, fieldSelector }: InformerTarget) {
  const [field = '', value] = (fieldSelector ?? '').split('=');
  return (object: KubeObject): boolean => {
    if (namespace && object.metadata?.namespace !== namespace) return false;
    if (field && kind.selectableFields[field]?.(object) !== value) return false;
    return !labelSelector || true;
  };
}
