export { clusterRole } from './access/cluster-role.ts';
export { clusterRoleBinding } from './access/cluster-role-binding.ts';
export { aggregatedRules } from './access/aggregation.ts';
export { accessGroup } from './access/policy-rules.ts';
export { role } from './access/role.ts';
export { roleBinding } from './access/role-binding.ts';
export { type MetricText, metricKey, metricTexts, sourceOf } from './autoscaler-columns.ts';
export { cpuMetric, standardScaleDown, standardScaleUp } from './autoscaler-rules.ts';
export * from './columns.ts';
export * from './canary-steps.ts';
export { configMap } from './config-map.ts';
export * from './config-references.ts';
export { controllerRevision } from './controller-revision.ts';
export { definitionStatus, isEstablished } from './custom/accept.ts';
export { cronJob, cronJobNameLimit } from './cron-job.ts';
export { customResourceDefinition } from './custom/definition.ts';
export { KindRegistry } from './custom/kind-registry.ts';
export { customKinds, type CustomOrigin } from './custom/kinds.ts';
export { daemonSet } from './daemon-set.ts';
export { daemonTolerations } from './daemon-tolerations.ts';
export * from './define-kind.ts';
export * from './kind-set.ts';
export { deployment } from './deployment.ts';
export * from './empty-parts.ts';
export { endpointSlice } from './endpoint-slice.ts';
export { event } from './event.ts';
export { job } from './job.ts';
export * from './job-labels.ts';
export { horizontalPodAutoscaler } from './horizontal-pod-autoscaler.ts';
export * from './going-back.ts';
export { lease, podRulesLease } from './lease.ts';
export { limitRange } from './limit-range.ts';
export * from './names.ts';
export { namespace } from './namespace.ts';
export { node } from './node.ts';
export {
  affinityToNode,
  matchesTerm,
  matchesTerms,
  namedNodes,
  type NodeTraits,
  requiredTerms,
} from './node-affinity.ts';
export {
  claimNodeAnnotation,
  claimProblem,
  inUseFinalizer,
  localStorageClass,
  persistentVolumeClaim,
} from './persistent-volume-claim.ts';
export { pod } from './pod.ts';
export {
  allocatable,
  type Demand,
  minus,
  nominal,
  type Nominal,
  plus,
  podDemand,
  podRequests,
  podsResource,
  type Resources,
  resourcesOf,
  shortages,
  takesRoom,
} from './pod-demand.ts';
export { changedSpecFields } from './pod-update.ts';
export { podDisruptionBudget } from './pod-disruption-budget.ts';
export { controllerOf } from './controller-of.ts';
export { podTemplateHashLabel, revisionHashLabel } from './labels.ts';
export { podGroup, podGroupLabel } from './pod-group.ts';
export { podStatusText } from './pod-columns.ts';
export * from './manifest.ts';
export { priorityClass, systemPriorities } from './priority-class.ts';
export { queue } from './queue.ts';
export * from './registry.ts';
export {
  isAutoRollback,
  isConfigRollout,
  minReadySecondsOf,
  readRecord,
  releaseAnnotations,
  releaseRecords,
  type RolledBack,
  rolledBackOf,
} from './release-annotations.ts';
export { type MoveState, movesLease, movesOf, moveStates, type RecordedMove, withMoves } from './recorded-moves.ts';
export { removalOrder } from './removal-order.ts';
export { replicaSet } from './replica-set.ts';
export * from './resource.ts';
export { resourceQuota } from './resource-quota.ts';
export { secret } from './secret.ts';
export { service } from './service.ts';
export { defaultServiceAccount, serviceAccount } from './service-account.ts';
export { claimVolumes, statefulSet } from './stateful-set.ts';
export { nodePortRange } from './service-rules.ts';
export * from './table.ts';
export * from './taints.ts';
