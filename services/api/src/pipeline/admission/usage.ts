import {
  type KindDefinition,
  persistentVolumeClaim as claimKind,
  pod as podKind,
  service as serviceKind,
} from '@navarch/kinds';
import { parseQuantity } from '@navarch/machinery';
import type { PersistentVolumeClaim, Pod, PodSpec, ResourceQuotaSpec, Service } from '@navarch/proto';
import type { ReadonlyObject } from '../../cache/cached-object.ts';
import { type Amounts, podAmounts } from './pod-amounts.ts';

/**
 * What objects use of what a ResourceQuota can limit, as Kubernetes counts it. Source:
 * https://kubernetes.io/docs/concepts/policy/resource-quotas/ and kubernetes pkg/quota/v1/evaluator/core.
 */

const one = 1_000_000_000n;

/** Whether objects of the kind can be counted at all. */
export function isCountable({ scope, storage }: KindDefinition): boolean {
  return scope === 'Namespaced' && storage === 'store';
}

/** What one object uses, by the names of limits, in billionths. */
export function usageOf(kind: KindDefinition, object: ReadonlyObject): Amounts {
  // Not kind.resource, in which a version may stand that is not the preferred one.
  const usage = new Map([[`count/${kind.plural}${kind.group === '' ? '' : `.${kind.group}`}`, one]]);
  if (kind.case === podKind.case) addPod(usage, object as Pod);
  else if (kind.group === '') usage.set(kind.plural, one);
  if (kind.case === serviceKind.case) addService(usage, object as Service);
  if (kind.case === claimKind.case) addClaim(usage, object as PersistentVolumeClaim);
  return usage;
}

/** Whether a change of an object may change what it uses. Asked for every change, so it looks at few fields only. */
export function usageMayMove(kind: KindDefinition, before: ReadonlyObject, after: ReadonlyObject): boolean {
  if (kind.case === podKind.case) {
    const [old, next] = [before as Pod, after as Pod]; // the kind says what they are
    return isOver(old) !== isOver(next) || isLimitedInTime(old.spec) !== isLimitedInTime(next.spec);
  }
  if (kind.case === serviceKind.case) {
    const [old, next] = [(before as Service).spec, (after as Service).spec];
    return old?.type !== next?.type || old?.ports.length !== next?.ports.length;
  }
  return false;
}

/** Whether a quota with these scopes counts the object. Without scopes it counts all. */
export function isInScope(
  { scopes, scopeSelector }: ResourceQuotaSpec,
  kind: KindDefinition,
  object: ReadonlyObject,
): boolean {
  const conditions = scopeSelector?.matchExpressions ?? [];
  if (scopes.length === 0 && conditions.length === 0) return true;
  if (kind.case !== podKind.case) return false;
  const { spec } = object as Pod; // the kind says what it is
  if (spec === undefined) return false;
  return (
    scopes.every((scope) => isOfScope(spec, scope)) &&
    conditions.every(({ scopeName, operator, values }) => {
      const { priorityClassName } = spec;
      if (operator === 'In') return values.includes(priorityClassName);
      if (operator === 'NotIn') return !values.includes(priorityClassName);
      return isOfScope(spec, scopeName) === (operator === 'Exists');
    })
  );
}

/** What containers have to state where a quota with this limit counts them; undefined for other limits. */
export function statedFor(limit: string): { part: 'requests' | 'limits'; resource: string } | undefined {
  const match = /^(?:(requests|limits)\.)?(cpu|memory)$/.exec(limit);
  if (match === null) return undefined;
  const [, part = 'requests', resource = ''] = match;
  return { part: part === 'limits' ? 'limits' : 'requests', resource };
}

function isOfScope(spec: PodSpec, scope: string): boolean {
  switch (scope) {
    case 'Terminating':
      return isLimitedInTime(spec);
    case 'NotTerminating':
      return !isLimitedInTime(spec);
    case 'BestEffort':
      return isBestEffort(spec);
    case 'NotBestEffort':
      return !isBestEffort(spec);
    default:
      return spec.priorityClassName !== '';
  }
}

/** No container asks for anything, and none is limited. */
function isBestEffort(spec: PodSpec): boolean {
  const stated = [podAmounts(spec, 'requests'), podAmounts(spec, 'limits')];
  return stated.every((amounts) => ['cpu', 'memory'].every((name) => (amounts.get(name) ?? 0n) === 0n));
}

function isLimitedInTime(spec: PodSpec | undefined): boolean {
  return spec?.activeDeadlineSeconds !== undefined;
}

/** A Pod whose containers have ended for good takes nothing any more, but for its place in the store. */
function isOver({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

function addPod(usage: Map<string, bigint>, pod: Pod): void {
  if (pod.spec === undefined || isOver(pod)) return;
  usage.set('pods', one);
  for (const [name, amount] of podAmounts(pod.spec, 'requests')) {
    usage.set(`requests.${name}`, amount);
    usage.set(name, amount);
  }
  for (const [name, amount] of podAmounts(pod.spec, 'limits')) usage.set(`limits.${name}`, amount);
}

function addService(usage: Map<string, bigint>, { spec }: Service): void {
  const balanced = spec?.type === 'LoadBalancer';
  if (balanced) usage.set('services.loadbalancers', one);
  if (balanced || spec?.type === 'NodePort') usage.set('services.nodeports', BigInt(spec.ports.length) * one);
}

function addClaim(usage: Map<string, bigint>, { spec }: PersistentVolumeClaim): void {
  const amount = parseQuantity(spec?.resources?.requests['storage'] ?? '0') ?? 0n;
  const ofClass = `${spec?.storageClassName}.storageclass.storage.k8s.io`;
  usage.set('requests.storage', amount);
  usage.set(`${ofClass}/requests.storage`, amount);
  usage.set(`${ofClass}/persistentvolumeclaims`, one);
}
