/**
 * One measured number, beside the limit that the same run measured and the goal that was set for it.
 * `ratio` is value / limit; `met` is undefined where there is no goal.
 */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What the machine itself allows, measured in this run, in the same unit. */
  readonly limit?: number;
  readonly goal?: Goal;
}

export type Goal =
  | { readonly atMost: number }
  | { readonly atLeast: number }
  | { readonly ratioAtMost: number }
  | { readonly ratioAtLeast: number };

export interface Suite {
  readonly name: string;
  /** One line for the list of suites. */
  readonly summary: string;
  /** What `--only` may name. */
  readonly parts?: readonly string[];
  /** Yields figures as they are measured; `say` reports progress. */
  run(options: SuiteOptions): AsyncIterable<Figure>;
}

export interface SuiteOptions {
  readonly say: (line: string) => void;
  /** The parts to run; undefined for all. */
  readonly only?: readonly string[] | undefined;
  /** Where CPU profiles of what is measured go, when they are wanted. */
  readonly profileDir?: string | undefined;
  readonly signal: AbortSignal;
}

/** The figure as `--json` prints it, one line each. */
export interface FigureRecord {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly limit: number | null;
  readonly ratio: number | null;
  readonly goal: string | null;
  readonly met: boolean | null;
}

export function record(figure: Figure): FigureRecord {
  const ratio = figure.limit === undefined ? undefined : figure.value / figure.limit;
  return {
    name: figure.name,
    value: round(figure.value),
    unit: figure.unit,
    limit: figure.limit === undefined ? null : round(figure.limit),
    ratio: ratio === undefined ? null : round(ratio),
    goal: figure.goal === undefined ? null : describeGoal(figure.goal),
    met: figure.goal === undefined ? null : meets(figure.goal, figure.value, ratio),
  };
}

function describeGoal(goal: Goal): string {
  if ('atMost' in goal) return `≤ ${goal.atMost}`;
  if ('atLeast' in goal) return `≥ ${goal.atLeast}`;
  if ('ratioAtMost' in goal) return `ratio ≤ ${goal.ratioAtMost}`;
  return `ratio ≥ ${goal.ratioAtLeast}`;
}

function meets(goal: Goal, value: number, ratio: number | undefined): boolean {
  if ('atMost' in goal) return value <= goal.atMost;
  if ('atLeast' in goal) return value >= goal.atLeast;
  // A goal on a ratio that has no limit to be a ratio of can't be met.
  if (ratio === undefined) return false;
  return 'ratioAtMost' in goal ? ratio <= goal.ratioAtMost : ratio >= goal.ratioAtLeast;
}

/** Three significant digits: a benchmark on a shared machine promises no more. */
function round(value: number): number {
  return Number(value.toPrecision(value >= 1000 ? 4 : 3));
}
