import { formatQuantity, parseQuantity } from '@navarch/machinery';
import type { LimitRangeItem, PersistentVolumeClaimSpec, PodSpec } from '@navarch/proto';
import { type Amounts, containerAmounts, podAmounts } from './pod-amounts.ts';

/** What is measured against a LimitRange's item: a container, or a Pod as a whole. */
interface Measured {
  readonly name: string;
  readonly requests: Amounts;
  readonly limits: Amounts;
}

/** Every bound of `item` that the Pod does not keep, in a sentence each. Source: kubernetes plugin/pkg/admission/limitranger. */
export function breaches(item: LimitRangeItem, spec: PodSpec): string[] {
  return measured(item, spec).flatMap((one) => [
    ...Object.entries(item.min).flatMap(([name, text]) => belowMin(item, one, name, text)),
    ...Object.entries(item.max).flatMap(([name, text]) => aboveMax(item, one, name, text)),
    ...Object.entries(item.maxLimitRequestRatio).flatMap(([name, text]) => aboveRatio(item, one, name, text)),
  ]);
}

/** The same of a claim, which has a request alone. */
export function claimBreaches({ type, min, max }: LimitRangeItem, { resources }: PersistentVolumeClaimSpec): string[] {
  if (type !== 'PersistentVolumeClaim') return [];
  const text = resources?.requests['storage'] ?? '0';
  const asked = parseQuantity(text) ?? 0n;
  const { storage: least } = min;
  const { storage: most } = max;
  const but = `storage usage per ${type} is`;
  return [
    ...(least !== undefined && asked < (parseQuantity(least) ?? 0n)
      ? [`minimum ${but} ${least}, but it requests ${text}`]
      : []),
    ...(most !== undefined && asked > (parseQuantity(most) ?? 0n)
      ? [`maximum ${but} ${most}, but it requests ${text}`]
      : []),
  ];
}

function measured({ type }: LimitRangeItem, spec: PodSpec): readonly Measured[] {
  if (type === 'Pod') {
    return [{ name: 'the Pod', requests: podAmounts(spec, 'requests'), limits: podAmounts(spec, 'limits') }];
  }
  if (type !== 'Container') return [];
  return [...spec.initContainers, ...spec.containers].map((container) => ({
    name: `container "${container.name}"`,
    requests: containerAmounts(container, 'requests'),
    limits: containerAmounts(container, 'limits'),
  }));
}

function belowMin({ type }: LimitRangeItem, { name, requests, limits }: Measured, resource: string, text: string) {
  const min = parseQuantity(text) ?? 0n;
  const rule = `minimum ${resource} usage per ${type} is ${text}`;
  const [request, limit] = [requests.get(resource), limits.get(resource)];
  if (request === undefined) return [`${rule}, but ${name} states no request`];
  if (request < min) return [`${rule}, but ${name} requests ${amountText(resource, request)}`];
  if (limit !== undefined && limit < min)
    return [`${rule}, but the limit of ${name} is ${amountText(resource, limit)}`];
  return [];
}

function aboveMax({ type }: LimitRangeItem, { name, requests, limits }: Measured, resource: string, text: string) {
  const max = parseQuantity(text) ?? 0n;
  const rule = `maximum ${resource} usage per ${type} is ${text}`;
  const [request, limit] = [requests.get(resource), limits.get(resource)];
  if (limit === undefined) return [`${rule}, but ${name} states no limit`];
  if (limit > max) return [`${rule}, but the limit of ${name} is ${amountText(resource, limit)}`];
  if (request !== undefined && request > max) return [`${rule}, but ${name} requests ${amountText(resource, request)}`];
  return [];
}

function aboveRatio({ type }: LimitRangeItem, { name, requests, limits }: Measured, resource: string, text: string) {
  const ratio = parseQuantity(text) ?? 0n;
  const rule = `a ${resource} limit per ${type} is at most ${text} times the request`;
  const [request = 0n, limit = 0n] = [requests.get(resource), limits.get(resource)];
  if (request === 0n) return [`${rule}, but ${name} states no request`];
  if (limit === 0n) return [`${rule}, but ${name} states no limit`];
  if (limit * oneNano <= ratio * request) return [];
  return [`${rule}, but that of ${name} is ${Number((limit * 1000n) / request) / 1000} times`];
}

const oneNano = 1_000_000_000n;

/** Memory and storage in powers of 1024, everything else in powers of 1000. */
export function amountText(resource: string, nanos: bigint): string {
  return formatQuantity(nanos, /(memory|storage)$/.test(resource) ? 'binary' : 'decimal');
}
