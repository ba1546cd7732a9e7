import type { FieldError } from '@navarch/machinery';
import type { Taint, Toleration } from '@navarch/proto';

/** What a taint does to Pods that don't tolerate it. */
export const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const;
export type TaintEffect = (typeof taintEffects)[number];

/** The taints that the control plane sets itself. Source: https://kubernetes.io/docs/reference/labels-annotations-taints/ */
export const nodeTaints = {
  notReady: 'node.kubernetes.io/not-ready',
  unreachable: 'node.kubernetes.io/unreachable',
  unschedulable: 'node.kubernetes.io/unschedulable',
  memoryPressure: 'node.kubernetes.io/memory-pressure',
  diskPressure: 'node.kubernetes.io/disk-pressure',
  pidPressure: 'node.kubernetes.io/pid-pressure',
  networkUnavailable: 'node.kubernetes.io/network-unavailable',
  /** Set by people who know that the machine is off: its Pods are taken away without waiting for it. */
  outOfService: 'node.kubernetes.io/out-of-service',
} as const;

/** Which taint: its key, what of it, and its effect. */
export type TaintLike = Pick<Taint, 'key' | 'value' | 'effect'>;

/**
 * Whether the toleration is for this taint. Source:
 * https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
 */
export function tolerates({ key, operator, value, effect }: Toleration, taint: TaintLike): boolean {
  if (effect !== '' && effect !== taint.effect) return false;
  if (key !== '' && key !== taint.key) return false;
  return operator === 'Exists' || value === taint.value;
}

/** The first taint with one of `effects` that none of the tolerations is for. */
export function untolerated<T extends TaintLike>(
  taints: readonly T[],
  tolerations: readonly Toleration[],
  effects: readonly TaintEffect[],
): T | undefined {
  return taints.find(
    (taint) => effects.some((effect) => effect === taint.effect) && !tolerations.some((each) => tolerates(each, taint)),
  );
}

export function isSameTaint(a: Pick<Taint, 'key' | 'effect'>, b: Pick<Taint, 'key' | 'effect'>): boolean {
  return a.key === b.key && a.effect === b.effect;
}

/** `key=value:effect`, as it is typed; without a value `key:effect`. */
export function taintText({ key, value, effect }: TaintLike): string {
  return `${value === '' ? key : `${key}=${value}`}:${effect}`;
}

/** A node has no two taints of one key and effect. */
export function validateTaints(taints: readonly Taint[], path: string): FieldError[] {
  return taints.flatMap((taint, index) => {
    if (!taints.slice(0, index).some((other) => isSameTaint(other, taint))) return [];
    const message = `"${taint.key}:${taint.effect}" is there twice; key and effect together must be unique`;
    return [{ path: `${path}[${index}]`, message }];
  });
}

/** Rules of Kubernetes' pkg/apis/core/validation. */
export function validateTolerations(tolerations: readonly Toleration[], path: string): FieldError[] {
  return tolerations.flatMap(({ key, operator, value, effect, tolerationSeconds }, index) => {
    const at = `${path}[${index}]`;
    const errors: FieldError[] = [];
    if (key === '' && operator !== 'Exists') {
      errors.push({ path: `${at}.operator`, message: 'must be Exists when there is no key, which means all taints' });
    }
    if (operator === 'Exists' && value !== '') {
      errors.push({ path: `${at}.value`, message: 'must not be set for the operator Exists' });
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
      errors.push({ path: `${at}.effect`, message: 'must be NoExecute when tolerationSeconds is set' });
    }
    return errors;
  });
}

/** A Pod's tolerations may grow, and their tolerationSeconds change; none may go. */
export function validateTolerationsUpdate(
  next: readonly Toleration[],
  previous: readonly Toleration[],
  path: string,
): FieldError[] {
  const text = ({ key, operator, value, effect }: Toleration) =>
    JSON.stringify([key, operator || 'Equal', value, effect]);
  const present = new Set(next.map(text));
  if (previous.every((toleration) => present.has(text(toleration)))) return [];
  return [{ path, message: 'tolerations can be added to a Pod, but not removed or changed' }];
}
