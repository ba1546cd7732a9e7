import type { EventBus } from '@navarch/bus';
import { type ApiClient, PushedMetrics, UsagePicture } from '@navarch/client';
import { ApiEventRecorder, ControllerRunner, LeaderElector, LeaderWork } from '@navarch/controller';
import { type Clock, type Component, type Logger, linkSignals, type Metrics } from '@navarch/kit';
import { addOwnerIndexes, readCaches } from './caches.ts';
import type { Hands } from './carry-out.ts';
import { clusterRoleController } from './cluster-role/controller.ts';
import { cronJobController } from './cron-job/controller.ts';
import { definitionController } from './custom-kinds/controller.ts';
import { Configurations } from './deployment/configurations.ts';
import { daemonSetController } from './daemon-set/controller.ts';
import { deploymentController } from './deployment/controller.ts';
import { disruptionController } from './disruption/controller.ts';
import { OwnerScales } from './disruption/owner-scales.ts';
import { endpointSliceController } from './endpoint-slice/controller.ts';
import { garbageController } from './garbage/controller.ts';
import { autoscalerController } from './horizontal-pod-autoscaler/controller.ts';
import { areAllKinds, Housekeeping } from './housekeeping.ts';
import { allInformers, informerSets, storedKinds, workloadsFirst } from './informers.ts';
import { jobController } from './job/controller.ts';
import { jobOrphanController } from './job/orphan-controller.ts';
import { loadBalancerController } from './load-balancer/controller.ts';
import { namespaceController } from './namespace/controller.ts';
import { NodeLifecycle } from './node/lifecycle-loop.ts';
import { nodeTaintsController } from './node/node-taints-controller.ts';
import { usualZoneSettings, type ZoneSettings } from './node/zones.ts';
import type { NodeSettings } from './node/lifecycle.ts';
import { podCidrController } from './node/pod-cidr-controller.ts';
import { podGarbageController } from './pod-gc/controller.ts';
import { type PodGarbageSettings, usualPodGarbage } from './pod-gc/reconcile.ts';
import { replicaSetController } from './replica-set/controller.ts';
import { resourceQuotaController } from './resource-quota/controller.ts';
import { serviceAccountController } from './service-account/controller.ts';
import { taintEvictionController } from './taint-eviction/controller.ts';
import { volumeClaimController } from './volume-claim/controller.ts';
import { statefulSetController } from './stateful-set/controller.ts';
import { ttlAfterFinishedController } from './ttl-after-finished/controller.ts';

export interface ControllerManagerOptions {
  readonly client: Pick<
    ApiClient,
    'get' | 'list' | 'create' | 'update' | 'watch' | 'transact' | 'raw' | 'getScale' | 'updateScale'
  >;
  readonly bus: EventBus;
  /** Different for every process that ever lived. */
  readonly identity: string;
  readonly clusterCidr: string;
  readonly nodes: NodeSettings;
  /** So often what is measured decides anew how many Pods there are. Default: 15 s. */
  readonly autoscaleMs?: number;
  /** How fast Pods are moved off nodes that fail; Kubernetes' pace when undefined. */
  readonly zones?: ZoneSettings;
  readonly podGarbage?: PodGarbageSettings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

const leaseName = 'controller-manager';

/**
 * All controllers of one process, as components in the order of their start. Several processes may run: one of them
 * leads, the others keep their caches warm.
 */
export function controllerManager(options: ControllerManagerOptions): readonly Component[] {
  const { client, bus, identity, logger, metrics, clock } = options;
  const recorder = new ApiEventRecorder({ client, component: 'controller-manager', logger, clock, metrics });
  const hands: Hands = { client, events: recorder };
  const sets = informerSets({ api: client.raw, bus, logger, clock });
  const caches = readCaches(sets.workloads);
  const everything = allInformers(sets);
  addOwnerIndexes(everything, storedKinds);

  const configurations = new Configurations(sets.confidential, caches);
  const usage = new UsagePicture({ bus, clock, logger, isNode: (name) => caches.nodes.get(name) !== undefined });
  const pushed = new PushedMetrics({ bus, clock, logger });
  const heard = { usage, pushed };
  const { autoscaleMs: syncMs = 15_000 } = options;

  const workloads = [
    deploymentController(caches, hands, configurations),
    replicaSetController(caches, hands),
    statefulSetController(caches, hands),
    jobController(caches, hands),
    jobOrphanController(caches, hands),
    daemonSetController(caches, hands),
    cronJobController(caches, hands),
    ttlAfterFinishedController(caches, hands),
    endpointSliceController(caches, hands),
    loadBalancerController(caches, hands),
    nodeTaintsController(caches, hands),
    taintEvictionController(caches, hands, metrics),
    podCidrController(caches, hands, options.clusterCidr),
    podGarbageController(caches, hands, options.podGarbage ?? usualPodGarbage),
    resourceQuotaController(caches, hands),
    autoscalerController({ caches, hands, scales: client, heard, syncMs }),
    serviceAccountController(caches, hands),
    clusterRoleController(caches, hands),
    volumeClaimController(caches, hands),
    disruptionController(caches, hands, new OwnerScales(sets.workloads, client)),
  ];
  const housekeeping = new Housekeeping({
    informers: everything,
    api: client.raw,
    bus,
    controllers: (informers, { kinds, stored, custom }) => [
      garbageController(informers, kinds, stored, hands),
      namespaceController(informers, stored, hands, (signal) => areAllKinds(client, custom, signal)),
      definitionController(informers, custom, hands),
    ],
    logger,
    metrics,
    clock,
  });
  const runners = workloads.map(
    (controller) => new ControllerRunner({ controller, informers: workloadsFirst(sets), logger, clock, metrics }),
  );
  const lifecycle = new NodeLifecycle({
    informers: sets.workloads,
    caches,
    hands,
    bus,
    settings: { ...options.nodes, ...(options.zones ?? usualZoneSettings) },
    logger,
    metrics,
    clock,
  });
  const elector = new LeaderElector({ client, name: leaseName, identity, clock, logger, metrics });
  const leading = new LeaderWork({ name: 'controllers', informers: sets.workloads, elector, logger }, async (term) => {
    await Promise.all([
      ...runners.map((runner) => runner.run(term)),
      configurations.lead(term),
      housekeeping.run(term),
      lifecycle.lead(term),
    ]);
  });
  return [
    recorder,
    background('confidential caches', (signal) => sets.confidential.run(signal)),
    background('heartbeats', (signal) => lifecycle.listen(signal)),
    background('usage', (signal) => usage.listen(signal)),
    background('metrics', (signal) => pushed.listen(signal)),
    leading,
  ];
}

/** Something that runs from start to stop, and whose start is nothing to wait for. */
function background(name: string, run: (signal: AbortSignal) => Promise<void>): Component {
  const life = linkSignals();
  let running: Promise<void> | undefined;
  return {
    name,
    start: async () => {
      running = run(life.signal);
    },
    stop: async () => {
      life.abort();
      await running;
    },
  };
}
