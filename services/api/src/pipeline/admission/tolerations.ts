import { nodeTaints, pod as podKind, tolerates } from '@navarch/kinds';
import { type Pod, Toleration } from '@navarch/proto';
import { withFields } from '../shared-specs.ts';
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
    const missing = usual(tolerationSeconds).filter(({ key, effect }) => {
      return !own.some((each) => tolerates(each, { key, value: '', effect }));
    });
    if (missing.length > 0 || own !== spec.tolerations) {
      next.spec = withFields(spec, { tolerations: [...own, ...missing] });
    }
    return undefined;
  },
};

function keptOr(stated: readonly Toleration[], before: readonly Toleration[] | undefined): readonly Toleration[] {
  return stated.length === 0 && before !== undefined ? before : stated;
}

const usualBySeconds = new WeakMap<TolerationSeconds, readonly Toleration[]>();

/** The same ones for every Pod, by which a spec that is shared is found again. */
function usual(seconds: TolerationSeconds): readonly Toleration[] {
  let both = usualBySeconds.get(seconds);
  if (both === undefined) {
    both = [timed(nodeTaints.notReady, seconds.notReady), timed(nodeTaints.unreachable, seconds.unreachable)];
    usualBySeconds.set(seconds, both);
  }
  return both;
}

function timed(key: string, tolerationSeconds: number): Toleration {
  return Toleration.fromPartial({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds });
}
