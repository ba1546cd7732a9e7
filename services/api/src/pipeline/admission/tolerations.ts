import { nodeTaints, pod as podKind, tolerates } from '@navarch/kinds';
import { type Pod, Toleration } from '@navarch/proto';
import type { Link } from './link.ts';

/** For how long a Pod that doesn't say so itself stays on a node with such a taint. */
export interface TolerationSeconds {
  readonly notReady: number;
  readonly unreachable: number;
}

/** Five minutes, as in Kubernetes. */
export const usualTolerationSeconds: TolerationSeconds = { notReady: 300, unreachable: 300 };

/**
 * Every Pod tolerates for a while that its node isn't ready or isn't heard of, unless it says something of that itself. Source:
 * https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#defaulttolerationseconds
 */
export const tolerations: Link = {
  admit: ({ circumstances: { tolerationSeconds }, kind, next, previous }) => {
    if (kind.case !== podKind.case) return undefined;
    const { spec } = next as Pod; // the kind says what it is
    if (spec === undefined) return undefined;
    // A manifest doesn't say what the api has set.
    const own = keptOr(spec.tolerations, (previous?.object as Pod | undefined)?.spec?.tolerations);
    const missing = [
      ...lacking(own, nodeTaints.notReady, tolerationSeconds.notReady),
      ...lacking(own, nodeTaints.unreachable, tolerationSeconds.unreachable),
    ];
    if (missing.length > 0 || own !== spec.tolerations) next.spec = { ...spec, tolerations: [...own, ...missing] };
    return undefined;
  },
};

function keptOr(stated: readonly Toleration[], before: readonly Toleration[] | undefined): readonly Toleration[] {
  return stated.length === 0 && before !== undefined ? before : stated;
}

function lacking(own: readonly Toleration[], key: string, tolerationSeconds: number): readonly Toleration[] {
  if (own.some((each) => tolerates(each, { key, value: '', effect: 'NoExecute' }))) return [];
  return [Toleration.fromPartial({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds })];
}
