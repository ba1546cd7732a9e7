import { parseQuantity } from '@navarch/machinery';
import type { Container, PodSpec } from '@navarch/proto';

/** Amounts by resource, in billionths. What is not there has not been stated. */
export type Amounts = ReadonlyMap<string, bigint>;

export function containerAmounts({ resources }: Container, part: 'requests' | 'limits'): Amounts {
  const amounts = new Map<string, bigint>();
  for (const [name, text] of Object.entries(resources?.[part] ?? {})) {
    const amount = parseQuantity(text);
    if (amount !== undefined) amounts.set(name, amount); // the contract refuses what is no quantity
  }
  return amounts;
}

/** Its containers together, or its neediest init container where that is more: init containers run before and alone. */
export function podAmounts({ containers, initContainers }: PodSpec, part: 'requests' | 'limits'): Amounts {
  const total = new Map<string, bigint>();
  for (const container of containers) {
    for (const [name, amount] of containerAmounts(container, part)) total.set(name, (total.get(name) ?? 0n) + amount);
  }
  for (const container of initContainers) {
    for (const [name, amount] of containerAmounts(container, part)) {
      const sum = total.get(name);
      if (sum === undefined || sum < amount) total.set(name, amount);
    }
  }
  return total;
}
