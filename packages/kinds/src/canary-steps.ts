/** A number of Pods of the new template, or a share of all; or a pause, for good when it has no end. */
export type CanaryStep =
  | { readonly type: 'size'; readonly size: number; readonly percent: boolean }
  | { readonly type: 'pause'; readonly ms: number | undefined };

const mostSteps = 32;
const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

/** The steps that an annotation like "1, pause 5m, 50%, pause" names, or what is wrong with it. */
export function parseCanary(text: string): readonly CanaryStep[] | string {
  if (text.trim() === '') return [];
  const words = text.split(',').map((word) => word.trim());
  if (words.length > mostSteps) return `has ${words.length} steps; there may be ${mostSteps}`;
  const steps: CanaryStep[] = [];
  for (const word of words) {
    const step = parseStep(word);
    if (step === undefined) {
      return `"${word}" is no step: a number of Pods (2), a share of them (25%), or a pause (pause, pause 10m) was expected`;
    }
    steps.push(step);
  }
  return steps;
}

/** How many of `replicas` Pods the new template has at a step. A share rounds up, so that 1% of 10 is one Pod. */
export function stepSize({ size, percent }: Extract<CanaryStep, { type: 'size' }>, replicas: number): number {
  return Math.min(replicas, percent ? Math.ceil((size * replicas) / 100) : size);
}

function parseStep(word: string): CanaryStep | undefined {
  const [, digits, percent] = /^(\d{1,6})(%?)$/.exec(word) ?? [];
  if (digits !== undefined) {
    const size = Number(digits);
    return percent === '%' && size > 100 ? undefined : { type: 'size', size, percent: percent === '%' };
  }
  const [pause, count, unit = ''] = /^pause(?: +(\d{1,6})([smh]))?$/.exec(word) ?? [];
  if (pause === undefined) return undefined;
  return { type: 'pause', ms: count === undefined ? undefined : Number(count) * (unitMs[unit] ?? 0) };
}
