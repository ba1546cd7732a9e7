import { isSameTaint, node as nodeKind } from '@navarch/kinds';
import type { Node, Taint } from '@navarch/proto';
import type { Link } from './link.ts';

/** A taint that ends Pods says since when it is there: what Pods tolerate for a while counts from then. */
export const nodeTaints: Link = {
  admit: ({ circumstances: { now }, kind, next, previous }) => {
    if (kind.case !== nodeKind.case) return undefined;
    const { spec } = next as Node; // the kind says what it is
    if (spec === undefined || spec.taints.every(isTimed)) return undefined;
    const before = (previous?.object as Node | undefined)?.spec?.taints ?? []; // the same kind's
    const since = (taint: Taint) =>
      before.find((each) => isSameTaint(each, taint) && each.value === taint.value)?.timeAdded || now;
    next.spec = {
      ...spec,
      taints: spec.taints.map((taint) => (isTimed(taint) ? taint : { ...taint, timeAdded: since(taint) })),
    };
    return undefined;
  },
};

function isTimed({ effect, timeAdded }: Taint): boolean {
  return effect !== 'NoExecute' || timeAdded !== '';
}
