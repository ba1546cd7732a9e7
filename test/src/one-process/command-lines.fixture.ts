import { expect } from 'vitest';
import type { ClusterInProcess } from './cluster-in-process.ts';

/** Commands as they are typed; words that hold a space can't be said so. */
export function commandLines(cluster: () => ClusterInProcess) {
  const navctl = (line: string) => cluster().navctl(...line.split(' '));
  return {
    navctl,
    /** What is printed, of a command that must go well. */
    good: async (line: string): Promise<string> => {
      const { code, out, err } = await navctl(line);
      expect({ line, code, err }).toEqual({ line, code: 0, err: '' });
      return out;
    },
  };
}
