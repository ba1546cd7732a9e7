/** From first to last, both included. */
type Range = readonly [first: number, last: number];

/**
 * A set of numbers from 0 on, kept as ranges: a Job of a hundred thousand indexes has few of them. The text is Kubernetes':
 * numbers and ranges in order, `1,3-5,7`. Never changes.
 */
export class IndexSet {
  static readonly empty = new IndexSet([]);
  readonly size: number;
  readonly #ranges: readonly Range[];

  private constructor(ranges: readonly Range[]) {
    this.#ranges = ranges;
    this.size = ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  }

  static of(indexes: Iterable<number>): IndexSet {
    return new IndexSet(joined([...indexes].map((index) => [index, index])));
  }

  /** Undefined when the text is no such thing: out of order, twice the same, anything but numbers and ranges. */
  static parse(text: string): IndexSet | undefined {
    if (text === '') return IndexSet.empty;
    const ranges: Range[] = [];
    let before = -1;
    for (const part of text.split(',')) {
      const match = /^(0|[1-9]\d{0,8})(?:-([1-9]\d{0,8}))?$/.exec(part);
      if (match === null) return undefined;
      const first = Number(match[1]);
      const last = Number(match[2] ?? match[1]);
      if (first <= before || last < first || (match[2] !== undefined && last === first)) return undefined;
      ranges.push([first, last]);
      before = last;
    }
    return new IndexSet(joined(ranges));
  }

  has(index: number): boolean {
    return this.#ranges.some(([first, last]) => first <= index && index <= last);
  }

  /** The largest; -1 when there is none. */
  get last(): number {
    return this.#ranges.at(-1)?.[1] ?? -1;
  }

  union(other: IndexSet): IndexSet {
    return new IndexSet(joined([...this.#ranges, ...other.#ranges]));
  }

  /** Those that both have. */
  intersection(other: IndexSet): IndexSet {
    const common = this.#ranges.flatMap(([first, last]) =>
      other.#ranges.map(([low, high]): Range => [Math.max(first, low), Math.min(last, high)]),
    );
    return new IndexSet(joined(common.filter(([first, last]) => first <= last)));
  }

  /** Those below `limit`. */
  below(limit: number): IndexSet {
    const kept = this.#ranges.filter(([first]) => first < limit);
    return new IndexSet(kept.map(([first, last]) => [first, Math.min(last, limit - 1)]));
  }

  toString(): string {
    return this.#ranges.map(([first, last]) => rangeText(first, last)).join(',');
  }
}

function rangeText(first: number, last: number): string {
  if (first === last) return String(first);
  // Two neighbors are two numbers.
  return `${first}${last === first + 1 ? ',' : '-'}${last}`;
}

function joined(ranges: readonly Range[]): readonly Range[] {
  const result: [number, number][] = [];
  for (const [first, last] of ranges.toSorted(([a], [b]) => a - b)) {
    const before = result.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else result.push([first, last]);
  }
  return result;
}
