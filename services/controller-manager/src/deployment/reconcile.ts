import type { ClientWrite } from '@navarch/client';
import { deployment as deploymentKind, replicaSet as replicaSetKind } from '@navarch/kinds';
import { labelSelectorPredicate } from '@navarch/machinery';
import { equalValues } from '../canonical.ts';
import { claim, claimWrites, isControlledBy } from '../ownership.ts';
import { type Plan, sooner } from '../plan.ts';
import { failureOf, isOnTrial, rollback } from './auto-rollback.ts';
import { canaryNow } from './canary.ts';
import { resolveTemplate } from './configuration.ts';
import { healthOf } from './crashes.ts';
import { recordWrite } from './records.ts';
import { sortOut } from './replica-sets.ts';
import type { DeploymentObserved, Seen } from './seen.ts';
import { deploymentStatus } from './status.ts';
import { nextStep } from './steps.ts';

/**
 * The next step of a Deployment: its ReplicaSets sized as the strategy allows right now, revisions and history kept, a
 * rollout that failed taken back, and the status of what is seen. Each step stands on what the caches show; the next one
 * follows when they show its result. `failure` is why a ReplicaSet, or a copy for it,
 * could not be made just now.
 */
export function reconcileDeployment(observed: DeploymentObserved, now: number, failure?: string): Plan {
  const { deployment, configuration } = observed;
  const { owned, adopt, release } = claim(
    deployment,
    observed.replicaSets,
    labelSelectorPredicate(deployment.spec.selector),
  );
  const claims = claimWrites(replicaSetKind, { kind: deploymentKind, owner: deployment }, { adopt, release });
  if (claims.length > 0) return { writes: claims, events: [] };

  const isGoing = deployment.metadata.deletionTimestamp !== '';
  const { known, missing, lacks } = resolveTemplate(deployment, owned, configuration);
  if (missing.length > 0 && !isGoing && failure === undefined) return { writes: missing, events: [] };

  const sets = sortOut(deployment, known?.template, owned);
  const { current } = sets;
  const health = healthOf(
    current === undefined ? [] : observed.pods.filter((pod) => isControlledBy(pod, current)),
    now,
  );
  const canary = canaryNow(deployment, sets, now);
  const seen: Seen = { deployment, known, lacks, sets, health, canary, failure };
  const trial = isOnTrial(deployment, sets) && !isGoing;
  if (trial && known !== undefined) {
    const failed = failureOf(deployment, known, health, current && deploymentStatus(seen, now).status);
    const back = failed && rollback(deployment, sets, known, failed);
    if (back !== undefined) return back;
  }
  const step = isGoing || failure !== undefined ? { writes: [], events: [] } : nextStep(observed, seen, trial);
  return withStatus({ ...seen, created: step.created, collisions: step.collisions }, step, now);
}

/** A Deployment is one object: its annotations and its status are two writes, so they go in two steps. */
function withStatus(seen: Seen, step: Pick<Plan, 'writes' | 'events'>, now: number): Plan {
  const { deployment, health } = seen;
  const { events } = step;
  const record = recordWrite(seen);
  if (record !== undefined) return { writes: [...step.writes, record], events };
  const { status, againAfterMs } = deploymentStatus(seen, now);
  const object = { ...deployment, status };
  const write: ClientWrite = { type: 'updateStatus', kind: deploymentKind, object };
  const changed = !equalValues(status, deployment.status);
  // Health matters only where a rollout may go back.
  const again = isOnTrial(deployment, seen.sets) ? sooner(againAfterMs, health.againAfterMs) : againAfterMs;
  return {
    writes: [...step.writes, ...(changed ? [write] : [])],
    events,
    ...(again !== undefined && { againAfterMs: again }),
  };
}
