import { byteCount, cpuMillis } from '@navarch/machinery';
import type { Container, Node, Pod, ResourceRequirements } from '@navarch/proto';

/**
 * Amounts by resource name, as plain numbers: `cpu` in thousandths of a core, everything else in whole units (bytes,
 * Pods). What is not named is 0.
 */
export type Resources = Readonly<Record<string, number>>;

/** Each Pod takes one of these. A node that doesn't say how many it takes sets no limit. */
export const podsResource = 'pods';

const zero: Resources = {};

/** What a Pod takes of its node. */
export interface Demand {
  readonly requests: Resources;
  /** Ports that it opens on the node itself: `TCP/80`. */
  readonly hostPorts: readonly string[];
}

export function podDemand(pod: Pick<Pod, 'spec'>): Demand {
  return { requests: podRequests(pod), hostPorts: hostPorts(pod) };
}

/** Whether a Pod takes room on its node: until its containers have ended for good. */
export function takesRoom({ status }: Pick<Pod, 'status'>): boolean {
  return status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
}

/** What a Pod needs on its node: its containers together, or its neediest init container where that is more, and its overhead. */
export function podRequests(pod: Pick<Pod, 'spec'>): Resources {
  return { ...sumOf(pod, zero), [podsResource]: 1 };
}

/** What a Pod counts as, in thousandths of a core and bytes, where points are given for what is taken of a node. */
export interface Nominal {
  readonly cpu: number;
  readonly memory: number;
}

/** What a container counts as that doesn't say. Source: kube-scheduler's defaults, 100m and 200Mi. */
const unsaid: Resources = { cpu: 100, memory: 200 * 1024 * 1024 };

/** The Pod's requests, with a little for each container that doesn't say, so that those who request nothing spread as well. */
export function nominal(pod: Pick<Pod, 'spec'>): Nominal {
  const { cpu = 0, memory = 0 } = sumOf(pod, unsaid);
  return { cpu, memory };
}

function sumOf({ spec }: Pick<Pod, 'spec'>, otherwise: Resources): Resources {
  const asked = ({ resources }: Container) => ({ ...otherwise, ...requestsOf(resources) });
  const together = (spec?.containers ?? []).map(asked).reduce(plus, zero);
  const total = (spec?.initContainers ?? []).map(asked).reduce(most, together);
  return plus(total, resourcesOf(spec?.overhead ?? {}));
}

/** What Pods can have of a node. */
export function allocatable({ status }: Pick<Node, 'status'>): Resources {
  const amounts = resourcesOf({ ...status?.capacity, ...status?.allocatable });
  return podsResource in amounts ? amounts : { ...amounts, [podsResource]: Number.POSITIVE_INFINITY };
}

/** What keeps a node that has `taken` of its `total` from taking `requests` as well: the resources that are short, by name. */
export function shortages(requests: Resources, taken: Resources, total: Resources): readonly string[] {
  return Object.keys(requests).filter((name) => {
    const amount = requests[name] ?? 0;
    return amount > 0 && (taken[name] ?? 0) + amount > (total[name] ?? 0);
  });
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
  return resourcesOf({ ...resources?.limits, ...resources?.requests });
}

export function resourcesOf(quantities: Readonly<Record<string, string>>): Resources {
  return Object.fromEntries(
    Object.entries(quantities).map(([name, text]) => [name, name === 'cpu' ? cpuMillis(text) : byteCount(text)]),
  );
}

function hostPorts({ spec }: Pick<Pod, 'spec'>): readonly string[] {
  return (spec?.containers ?? []).flatMap(({ ports }) =>
    ports.flatMap(({ hostPort, containerPort, protocol }) => {
      const port = spec?.hostNetwork ? hostPort || containerPort : hostPort;
      return port === 0 ? [] : [`${protocol ?? 'TCP'}/${port}`];
    }),
  );
}
