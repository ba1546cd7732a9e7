import type { KindDefinition } from '@navarch/kinds';
import { UserError } from '../session.ts';
import { daemonSetRollout } from './daemon-set.ts';
import { deploymentRollout } from './deployment.ts';
import type { RolloutKind } from './rollout-kind.ts';
import { statefulSetRollout } from './stateful-set.ts';

/** The kinds that roll out. A new one is added here, and nowhere else. */
const rolloutKinds: readonly RolloutKind[] = [deploymentRollout, statefulSetRollout, daemonSetRollout];

/** Throws UserError for a kind that has no rollouts. */
export function rolloutKindOf(kind: KindDefinition): RolloutKind {
  const found = rolloutKinds.find((each) => each.kind.case === kind.case);
  if (found !== undefined) return found;
  const names = rolloutKinds.map((each) => `${each.kind.kind}s`);
  throw new UserError(`${kind.plural} have no rollouts; ${joinWords(names)} do`);
}

/** a, b and c */
function joinWords(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}

export function hasRollouts(kind: KindDefinition): boolean {
  return rolloutKinds.some((each) => each.kind.case === kind.case);
}
