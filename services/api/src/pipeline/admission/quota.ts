import {
  type KindDefinition,
  namespace as namespaceKind,
  pod as podKind,
  resourceQuota as quotaKind,
} from '@navarch/kinds';
import { parseQuantity } from '@navarch/machinery';
import type { Pod, PodSpec, ResourceQuota } from '@navarch/proto';
import type { CachedObject } from '../../cache/cached-object.ts';
import { asItWas } from '../current.ts';
import type { WritableObject } from '../object-rules.ts';
import type { Circumstances, OtherWrite } from '../write.ts';
import { forbidden } from './forbidden.ts';
import { charge, count, counted, entry, type UsageChange } from './ledger.ts';
import { amountText } from './limit-bounds.ts';
import type { Admitted, Link } from './link.ts';
import { type Amounts, containerAmounts } from './pod-amounts.ts';
import { isCountable, statedFor, usageMayMove } from './usage.ts';

/**
 * What a write takes from the quotas of its namespace, or gives back to them, is put into their status in the write's own
 * transaction, which compares their revisions: used is never more than was counted, and never above hard for a write that
 * asks for more.
 *
 * It also compares the namespace. A quota that is made, or whose limits change, writes the namespace (see quota-status.ts), so
 * everything that is committed after it was decided with the quota in sight.
 */
export const quota: Link = {
  admit: ({ circumstances, kind, next, previous }) => {
    if (!isCountable(kind)) return undefined;
    if (previous !== undefined && !usageMayMove(kind, previous.object, next)) return undefined;
    return settle(circumstances, next.metadata.namespace, { kind, before: previous?.object, after: next });
  },
  release: (circumstances, going) => {
    if (!isCountable(going.kind)) return undefined;
    return settle(circumstances, going.namespace, { kind: going.kind, before: going.object, after: undefined });
  },
};

function settle(circumstances: Circumstances, namespace: string, change: UsageChange): Admitted {
  const { view } = circumstances;
  const home = view.get(namespaceKind, '', namespace);
  const others: OtherWrite[] = [];
  for (const cached of view.list(quotaKind, namespace)) {
    const written = chargeTo(circumstances, cached, change);
    if (written !== undefined) others.push(written);
  }
  return { others, compare: home === undefined ? [] : [asItWas(home)] };
}

/** The quota as the change leaves it; undefined when it does not concern it. Throws Forbidden when it asks for too much. */
function chargeTo(circumstances: Circumstances, cached: CachedObject, change: UsageChange): OtherWrite | undefined {
  const { view } = circumstances;
  const object = cached.object as ResourceQuota; // the cache decodes a kind's objects with its message
  const charged = charge(object, change);
  if (charged.size === 0) return undefined;
  const before = counted(object);
  // Its limits come with this very transaction: what others do meanwhile can't be counted yet.
  if (before === undefined && view.written(quotaKind, cached.namespace, cached.name)) return undefined;
  // A quota that goes with this write is not its own object's judge.
  if (change.kind.case === quotaKind.case && change.before?.metadata.uid === object.metadata?.uid) return undefined;
  const used = before ?? count(circumstances, object);
  const { kind, after } = change;
  if (after !== undefined) {
    if (change.before === undefined) refuseUnstated(object, kind, after);
    refuseExcess(object, kind, after, charged, used);
  }
  return entry(cached, new Map(Array.from(used, ([name, amount]) => [name, amount + (charged.get(name) ?? 0n)])));
}

type Asking = Pick<WritableObject, 'metadata'>;

function refuseExcess(
  quota: ResourceQuota,
  kind: KindDefinition,
  asking: Asking,
  charged: Amounts,
  used: Amounts,
): void {
  const { metadata, spec } = quota;
  const over = [...charged].filter(([name, amount]) => {
    const limit = parseQuantity(spec?.hard[name] ?? '') ?? 0n;
    return amount > 0n && (used.get(name) ?? 0n) + amount > limit;
  });
  if (over.length === 0) return;
  const names = over.map(([name]) => name).sort();
  const list = (text: (name: string) => string) => names.map((name) => `${name}=${text(name)}`).join(',');
  const requested = list((name) => amountText(name, charged.get(name) ?? 0n));
  const present = list((name) => amountText(name, used.get(name) ?? 0n));
  const limited = list((name) => spec?.hard[name] ?? '');
  throw forbidden(
    asking,
    kind,
    `exceeded quota: ${metadata?.name ?? ''}, requested: ${requested}, used: ${present}, limited: ${limited}`,
  );
}

/** What is counted has to be stated, or a Pod that states nothing would slip through. */
function refuseUnstated({ metadata, spec }: ResourceQuota, kind: KindDefinition, asking: Asking): void {
  if (kind.case !== podKind.case) return;
  const { spec: podSpec } = asking as Pod; // the kind says what it is
  if (podSpec === undefined) return;
  const missing = Object.keys(spec?.hard ?? {})
    .sort()
    .flatMap((limit) => {
      const silent = containersSilentOn(limit, podSpec);
      return silent.length === 0 ? [] : [`${limit} for: ${silent.join(',')}`];
    });
  if (missing.length === 0) return;
  throw forbidden(asking, kind, `failed quota: ${metadata?.name ?? ''}: must specify ${missing.join('; ')}`);
}

function containersSilentOn(limit: string, { initContainers, containers }: PodSpec): readonly string[] {
  const stated = statedFor(limit);
  if (stated === undefined) return [];
  const { part, resource } = stated;
  return [...initContainers, ...containers]
    .filter((container) => !containerAmounts(container, part).has(resource))
    .map(({ name }) => name);
}
