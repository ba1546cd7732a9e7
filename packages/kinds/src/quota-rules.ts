import { type FieldError, formatPath, formatProblem, parseQuantity } from '@navarch/machinery';
import type { ResourceQuota, ResourceQuotaSpec } from '@navarch/proto';

const oneNano = 1_000_000_000n;

/** What is counted in shares of a core or of a byte; everything else is counted in wholes. */
const divisible = /^(requests\.|limits\.)?(cpu|memory|ephemeral-storage)$|^requests\.storage$|\.requests\.storage$/;

/** Names without a domain that may be limited. Source: https://kubernetes.io/docs/concepts/policy/resource-quotas/ */
const known = new Set([
  ...['cpu', 'memory', 'ephemeral-storage'].flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
  'requests.storage',
  'pods',
  'services',
  'services.nodeports',
  'services.loadbalancers',
  'configmaps',
  'secrets',
  'resourcequotas',
  'replicationcontrollers',
  'persistentvolumeclaims',
]);

/** What a quota with scopes can count: these are about Pods. */
const ofPods = new Set(['pods', ...['cpu', 'memory'].flatMap((name) => [name, `requests.${name}`, `limits.${name}`])]);

const opposites = [
  ['Terminating', 'NotTerminating'],
  ['BestEffort', 'NotBestEffort'],
] as const;

export function validateQuota({ spec }: ResourceQuota): FieldError[] {
  if (spec === undefined) return [];
  const scopes = scopesOf(spec);
  return [
    ...Object.entries(spec.hard).flatMap(([name, text]) => validateAmount(name, text, scopes)),
    ...opposites
      .filter((pair) => pair.every((scope) => scopes.has(scope)))
      .map((pair) => ({ path: 'spec.scopes', message: `${pair.join(' and ')} exclude each other: no Pod is both` })),
    ...validateSelector(spec),
  ];
}

function scopesOf({ scopes, scopeSelector }: ResourceQuotaSpec): ReadonlySet<string> {
  return new Set([...scopes, ...(scopeSelector?.matchExpressions ?? []).map(({ scopeName }) => scopeName)]);
}

function validateAmount(name: string, text: string, scopes: ReadonlySet<string>): FieldError[] {
  const path = formatPath(['spec', 'hard', name]);
  const errors: FieldError[] = [];
  if (!known.has(name) && !isCount(name) && !name.includes('/')) {
    const message = `must be one of ${[...known].join(', ')}, count/<resource>.<group>, or have a domain: requests.example.com/gpu`;
    errors.push({ path, message });
  }
  const nanos = parseQuantity(text) ?? 0n;
  if (nanos < 0n) errors.push({ path, message: `"${text}" must not be negative` });
  if (!divisible.test(name) && nanos % oneNano !== 0n) {
    errors.push({ path, message: `"${text}" must be a whole number` });
  }
  const bestEffortOnly = scopes.has('BestEffort');
  if (scopes.size > 0 && !(bestEffortOnly ? name === 'pods' : ofPods.has(name))) {
    const fitting = bestEffortOnly ? 'pods' : [...ofPods].join(', ');
    errors.push({ path, message: `can not be counted by the scopes ${[...scopes].join(', ')}; only ${fitting} can` });
  }
  return errors;
}

function isCount(name: string): boolean {
  const resource = name.startsWith('count/') ? name.slice('count/'.length) : '';
  return resource !== '' && formatProblem('DNS_SUBDOMAIN', resource) === undefined;
}

function validateSelector({ scopeSelector }: ResourceQuotaSpec): FieldError[] {
  return (scopeSelector?.matchExpressions ?? []).flatMap(({ scopeName, operator, values }, index) => {
    const at = `spec.scopeSelector.matchExpressions[${index}]`;
    const listed = operator === 'In' || operator === 'NotIn';
    if (scopeName !== 'PriorityClass' && operator !== 'Exists') {
      return [{ path: `${at}.operator`, message: `must be Exists for ${scopeName}, not ${operator}` }];
    }
    if (listed && values.length === 0) return [{ path: `${at}.values`, message: `must be set for ${operator}` }];
    if (!listed && values.length > 0) return [{ path: `${at}.values`, message: `must not be set for ${operator}` }];
    return [];
  });
}
