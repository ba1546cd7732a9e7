import { type KindDefinition, type Kinds, resourceQuota as quotaKind } from '@navarch/kinds';
import { parseQuantity } from '@navarch/machinery';
import type { ResourceQuota, ResourceQuotaStatus } from '@navarch/proto';
import type { CachedObject, ReadonlyObject } from '../../cache/cached-object.ts';
import { copyOf } from '../current.ts';
import { encodeBody } from '../object-rules.ts';
import type { Circumstances, OtherWrite } from '../write.ts';
import { amountText } from './limit-bounds.ts';
import type { Amounts } from './pod-amounts.ts';
import { isCountable, isInScope, usageOf } from './usage.ts';

/** One object before and after a write. Undefined: it is not there. */
export interface UsageChange {
  readonly kind: KindDefinition;
  readonly before: ReadonlyObject | undefined;
  readonly after: ReadonlyObject | undefined;
}

/** What a change takes from a quota (or, below 0, gives back), by limit. Only what changes, of what is limited. */
export function charge({ spec }: ResourceQuota, { kind, before, after }: UsageChange): Amounts {
  const charged = new Map<string, bigint>();
  if (spec === undefined) return charged;
  const old = before !== undefined && isInScope(spec, kind, before) ? usageOf(kind, before) : undefined;
  const next = after !== undefined && isInScope(spec, kind, after) ? usageOf(kind, after) : undefined;
  for (const name of Object.keys(spec.hard)) {
    const amount = (next?.get(name) ?? 0n) - (old?.get(name) ?? 0n);
    if (amount !== 0n) charged.set(name, amount);
  }
  return charged;
}

/** What a quota has counted; undefined when its limits have changed since, or it was never counted. */
export function counted({ spec, status }: ResourceQuota): Amounts | undefined {
  const limits = Object.entries(spec?.hard ?? {});
  const known = status?.hard ?? {};
  if (limits.length !== Object.keys(known).length) return undefined;
  if (limits.some(([name, text]) => known[name] !== text)) return undefined;
  return new Map(limits.map(([name]) => [name, parseQuantity(status?.used[name] ?? '') ?? 0n]));
}

/** What is used of each limit of a quota, counted from all objects of its namespace. */
export function count({ view, kinds }: Pick<Circumstances, 'view' | 'kinds'>, quota: ResourceQuota): Amounts {
  const limits = Object.keys(quota.spec?.hard ?? {});
  const used = new Map(limits.map((name) => [name, 0n]));
  for (const kind of countedKinds(kinds, limits)) {
    for (const { object } of view.list(kind, quota.metadata?.namespace ?? '')) {
      for (const [name, amount] of charge(quota, { kind, before: undefined, after: object })) {
        used.set(name, (used.get(name) ?? 0n) + amount);
      }
    }
  }
  return used;
}

/** What a quota's status says of what is used. */
export function statusOf({ spec }: ResourceQuota, used: Amounts): ResourceQuotaStatus {
  const texts = Array.from(used, ([name, amount]) => [name, amountText(name, amount < 0n ? 0n : amount)] as const);
  return { hard: { ...spec?.hard }, used: Object.fromEntries(texts) };
}

/** The quota with `used` counted. */
export function entry(cached: CachedObject, used: Amounts): OtherWrite {
  const copy = copyOf(cached);
  copy.status = statusOf(copy as ResourceQuota, used); // the cache holds quotas under this kind
  return { object: cached, body: encodeBody(quotaKind, copy) };
}

/** The kinds whose objects use some of these limits. */
function countedKinds(kinds: Kinds, limits: readonly string[]): ReadonlySet<KindDefinition> {
  const found = new Set<KindDefinition>();
  for (const limit of limits) {
    const kind = kinds.byResource(countedResource(limit));
    if (kind !== undefined && isCountable(kind)) found.add(kind);
  }
  return found;
}

function countedResource(limit: string): string {
  if (limit.startsWith('count/')) return limit.slice('count/'.length);
  if (/^(services)\./.test(limit)) return 'services';
  return /^(requests|limits)\.|^(cpu|memory|ephemeral-storage)$/.test(limit) ? 'pods' : limit;
}
