import { clusterRole } from './access/cluster-role.ts';
import { clusterRoleBinding } from './access/cluster-role-binding.ts';
import { role } from './access/role.ts';
import { roleBinding } from './access/role-binding.ts';
import { configMap } from './config-map.ts';
import { controllerRevision } from './controller-revision.ts';
import { cronJob } from './cron-job.ts';
import { customResourceDefinition } from './custom/definition.ts';
import { daemonSet } from './daemon-set.ts';
import type { KindDefinition } from './define-kind.ts';
import { deployment } from './deployment.ts';
import { endpointSlice } from './endpoint-slice.ts';
import { event } from './event.ts';
import { job } from './job.ts';
import { horizontalPodAutoscaler } from './horizontal-pod-autoscaler.ts';
import { type Kinds, KindSet } from './kind-set.ts';
import { lease } from './lease.ts';
import { limitRange } from './limit-range.ts';
import { namespace } from './namespace.ts';
import { node } from './node.ts';
import { persistentVolumeClaim } from './persistent-volume-claim.ts';
import { podDisruptionBudget } from './pod-disruption-budget.ts';
import { podGroup } from './pod-group.ts';
import { pod } from './pod.ts';
import { priorityClass } from './priority-class.ts';
import { queue } from './queue.ts';
import { replicaSet } from './replica-set.ts';
import { resourceQuota } from './resource-quota.ts';
import { secret } from './secret.ts';
import { serviceAccount } from './service-account.ts';
import { service } from './service.ts';
import { statefulSet } from './stateful-set.ts';

/** Every kind that is built in. A new one is added here, and nowhere else. */
export const kinds: readonly KindDefinition[] = [
  pod,
  service,
  deployment,
  replicaSet,
  statefulSet,
  daemonSet,
  controllerRevision,
  job,
  cronJob,
  configMap,
  secret,
  serviceAccount,
  persistentVolumeClaim,
  namespace,
  node,
  endpointSlice,
  lease,
  event,
  resourceQuota,
  limitRange,
  priorityClass,
  podDisruptionBudget,
  podGroup,
  queue,
  horizontalPodAutoscaler,
  role,
  roleBinding,
  clusterRole,
  clusterRoleBinding,
  customResourceDefinition,
];

/** The kinds that every cluster has. */
export const builtinKinds: Kinds = new KindSet(kinds);
