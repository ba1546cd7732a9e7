/** The value below which a share `p` (0 to 1) of the samples lies: the nearest rank. Throws on no samples. */
export function percentile(samples: readonly number[], p: number): number {
  const sorted = Float64Array.from(samples).sort();
  const value = sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(p * sorted.length) - 1))];
  if (value === undefined) throw new Error('percentile of no samples');
  return value;
}

export const median = (samples: readonly number[]): number => percentile(samples, 0.5);
