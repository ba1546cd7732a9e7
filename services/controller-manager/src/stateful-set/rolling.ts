import { type Step, remove } from './steps.ts';
import { isAvailable, isOutdated, isRolling, partitionOf, type View } from './view.ts';

/**
 * Which Pods go next so that they come back of today's template: from the highest number down to the partition, and no
 * more than leaves maxUnavailable Pods missing. Those that don't serve anyway go without regard to that.
 */
export function replaceOutdated(view: View): readonly Step[] {
  if (!isRolling(view)) return [];
  const { start, end, pods } = view;
  const ordinals = Array.from({ length: end - start }, (_, index) => end - 1 - index);
  const serves = (ordinal: number) => {
    const pod = pods.get(ordinal);
    return pod !== undefined && isAvailable(view, pod);
  };
  let budget = maxUnavailable(view) - ordinals.filter((ordinal) => !serves(ordinal)).length;
  const steps: Step[] = [];
  for (const ordinal of ordinals) {
    const pod = pods.get(ordinal);
    if (pod === undefined || pod.metadata.deletionTimestamp !== '') continue;
    if (ordinal < partitionOf(view) || !isOutdated(view, ordinal, pod) || !serves(ordinal)) continue;
    if (budget-- <= 0) break;
    steps.push(remove(view, pod));
  }
  return steps;
}

/** As a number of Pods: a percentage is rounded down, and one may always be missing. */
function maxUnavailable({ set, start, end }: View): number {
  const value: unknown = set.spec.updateStrategy?.rollingUpdate?.maxUnavailable;
  if (typeof value === 'number') return Math.max(1, value);
  const percent = typeof value === 'string' ? Number.parseInt(value, 10) : Number.NaN;
  return Number.isNaN(percent) ? 1 : Math.max(1, Math.floor(((end - start) * percent) / 100));
}
