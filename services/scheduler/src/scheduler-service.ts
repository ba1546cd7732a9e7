import type { EventBus } from '@navarch/bus';
import { type ApiClient, createInformerSet } from '@navarch/client';
import { ApiEventRecorder, LeaderElector, LeaderWork } from '@navarch/controller';
import {
  lease,
  namespace,
  node,
  persistentVolumeClaim,
  pod,
  podDisruptionBudget,
  podGroup,
  queue,
} from '@navarch/kinds';
import type { Clock, Component, Logger, Metrics, ReadinessCheck } from '@navarch/kit';
import type { Profile } from './profiles.ts';
import { PlannerConnection } from './planning/planner-connection.ts';
import { Planner } from './planning/planner.ts';
import type { RebalancingPolicy } from './rebalancing/policy.ts';
import { Rebalancer } from './rebalancing/rebalancer.ts';
import { replicaLease } from './replicas.ts';
import { Scheduler } from './scheduler.ts';

export interface SchedulerServiceOptions {
  readonly client: ApiClient;
  readonly bus: EventBus;
  /** Different for every process that ever lived. */
  readonly identity: string;
  readonly profiles: readonly Profile[];
  /** Whether, and how, Pods are moved once they have a node. Undefined: never. */
  readonly rebalancing?: RebalancingPolicy;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

/**
 * The whole scheduler on a client and a bus that somebody else has opened and will close: its components in the order of
 * their start. Several processes may run: all of them place Pods, and one of them leads.
 */
export function schedulerService({
  client,
  bus,
  identity,
  profiles,
  rebalancing: policy,
  logger,
  metrics,
  clock,
}: SchedulerServiceOptions): {
  readonly components: readonly Component[];
  readonly notReady: ReadinessCheck;
} {
  const targets = [
    { kind: node },
    { kind: namespace },
    { kind: persistentVolumeClaim },
    { kind: podDisruptionBudget },
    { kind: lease },
    { kind: podGroup },
    { kind: queue },
    { kind: pod },
  ];
  const informers = createInformerSet({ api: client.raw, bus, targets, logger, clock });
  const recorder = new ApiEventRecorder({ client, component: 'scheduler', logger, clock, metrics });
  const scheduler = new Scheduler({ client, informers, recorder, profiles, identity, logger, metrics, clock });
  const picture = () => scheduler.picture();
  const planner = new Planner({ informers, picture });
  const { steering } = scheduler;
  const rebalancer = new Rebalancer({ client, informers, recorder, policy, picture, steering, clock, logger });
  const standing = { client, identity, clock, logger, metrics };
  // Nobody else stands for its own Lease: it tells the others that this replica is alive.
  const alive = new LeaderElector({ ...standing, name: replicaLease(identity), retryMs: 2_000 });
  const leader = new LeaderElector({ ...standing, name: 'scheduler' });
  return {
    components: [
      recorder,
      new LeaderWork(
        { name: 'scheduling', informers, elector: leader, logger },
        async (term) => {
          await Promise.all([scheduler.lead(term), rebalancer.lead(term)]);
        },
        [{ elector: alive, work: (term) => scheduler.work(term) }],
      ),
      new PlannerConnection({ client, planner, clock, logger }),
    ],
    notReady: () => (informers.revision > 0n ? undefined : 'the caches are not filled'),
  };
}
