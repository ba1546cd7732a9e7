/**
 * As a number of Pods: a count as it is, a percentage of `whole` as `round` says. The api lets only these two through;
 * anything else is 0.
 */
export function countOf(value: unknown, whole: number, round: (exact: number) => number): number {
  if (typeof value === 'number') return value;
  const percent = Number(/^(\d+)%$/.exec(String(value))?.[1] ?? Number.NaN);
  return Number.isNaN(percent) ? 0 : round((percent * whole) / 100);
}
