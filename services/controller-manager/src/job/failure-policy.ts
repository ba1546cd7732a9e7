import type { Live } from '@navarch/machinery';
import type { ContainerStatus, Job, Pod, PodFailurePolicyOnExitCodes, PodFailurePolicyRule } from '@navarch/proto';

/** What a Pod's failure means. */
export interface Verdict {
  readonly action: 'FailJob' | 'FailIndex' | 'Ignore' | 'Count';
  /** Why, for FailJob. */
  readonly message: string;
}

const counts: Verdict = { action: 'Count', message: '' };

/** The first rule of the podFailurePolicy that matches decides; without one the failure counts. */
export function judge({ spec }: Live<Job>, pod: Live<Pod>): Verdict {
  for (const [index, rule] of (spec.podFailurePolicy?.rules ?? []).entries()) {
    const what = matched(rule, pod);
    if (what === undefined) continue;
    const message = `${what} matching ${rule.action} rule at index ${index}`;
    return { action: rule.action as Verdict['action'], message }; // the contract allows no other
  }
  return counts;
}

function matched({ onExitCodes, onPodConditions }: PodFailurePolicyRule, pod: Live<Pod>): string | undefined {
  const { metadata, status } = pod;
  const name = `${metadata.namespace}/${metadata.name}`;
  if (onExitCodes !== undefined) {
    const statuses = [...status.containerStatuses, ...status.initContainerStatuses];
    const container = statuses.find((each) => matchesExit(onExitCodes, each));
    if (container === undefined) return undefined;
    const { exitCode } = container.state?.terminated ?? {};
    return `Container ${container.name} for pod ${name} failed with exit code ${exitCode}`;
  }
  const condition = status.conditions.find(({ type, status }) =>
    onPodConditions.some((wanted) => wanted.type === type && (wanted.status ?? 'True') === status),
  );
  return condition && `Pod ${name} has condition ${condition.type}`;
}

function matchesExit(
  { containerName, operator, values }: PodFailurePolicyOnExitCodes,
  { name, state }: ContainerStatus,
): boolean {
  const exitCode = state?.terminated?.exitCode ?? 0;
  if (exitCode === 0 || (containerName ?? name) !== name) return false;
  return values.includes(exitCode) === (operator === 'In');
}
