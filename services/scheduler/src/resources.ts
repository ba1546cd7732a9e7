import { byteCount, cpuMillis } from '@navarch/machinery';
import type { Node, Pod, ResourceRequirements } from '@navarch/proto';

/**
 * Amounts by resource name, as plain numbers: `cpu` in thousandths of a core, everything else in whole units (bytes,
 * Pods). What is not named is 0.
 */
export type Resources = Readonly<Record<string, number>>;

/** Each Pod takes one of these. A node that doesn't say how many it takes sets no limit. */
export const podsResource = 'pods';

const zero: Resources = {};

/** What a Pod needs on its node: its containers together, or its neediest init container where that is more, and its overhead. */
export function podRequests({ spec }: Pick<Pod, 'spec'>): Resources {
  const together = (spec?.containers ?? []).map(({ resources }) => requestsOf(resources)).reduce(plus, zero);
  const total = (spec?.initContainers ?? []).map(({ resources }) => requestsOf(resources)).reduce(most, together);
  return { ...plus(total, parse(spec?.overhead ?? {})), [podsResource]: 1 };
}

/** What Pods can have of a node. */
export function allocatable({ status }: Pick<Node, 'status'>): Resources {
  const amounts = parse({ ...status?.capacity, ...status?.allocatable });
  return podsResource in amounts ? amounts : { ...amounts, [podsResource]: Number.POSITIVE_INFINITY };
}

export function plus(a: Resources, b: Resources): Resources {
  return combine(a, b, (one, other) => one + other);
}

export function minus(a: Resources, b: Resources): Resources {
  return combine(a, b, (one, other) => one - other);
}

function most(a: Resources, b: Resources): Resources {
  return combine(a, b, Math.max);
}

function combine(a: Resources, b: Resources, join: (one: number, other: number) => number): Resources {
  const result: Record<string, number> = { ...a };
  for (const name in b) result[name] = join(result[name] ?? 0, b[name] ?? 0);
  return result;
}

/** A request that is missing is as large as the limit, as Kubernetes has it. */
function requestsOf(resources: ResourceRequirements | undefined): Resources {
  return parse({ ...resources?.limits, ...resources?.requests });
}

function parse(quantities: Readonly<Record<string, string>>): Resources {
  return Object.fromEntries(
    Object.entries(quantities).map(([name, text]) => [name, name === 'cpu' ? cpuMillis(text) : byteCount(text)]),
  );
}
