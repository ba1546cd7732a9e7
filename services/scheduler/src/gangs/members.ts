import type { PodInfo } from '../pod-info.ts';

/** Members that nodes by themselves treat alike. */
export interface Like {
  readonly example: PodInfo;
  readonly count: number;
}

/** What is common to members: groups are mostly made of one template, or a few. */
export function alike(members: readonly PodInfo[]): readonly Like[] {
  const byShape = Map.groupBy(members, ({ shape }) => shape);
  return [...byShape.values()].flatMap(([example, ...others]) =>
    example === undefined ? [] : [{ example, count: 1 + others.length }],
  );
}

/** The large before the small, who fit in more places; among equals by name, the second before the tenth. */
export function largestFirst(members: readonly PodInfo[]): readonly PodInfo[] {
  const most = new Map<string, number>();
  for (const { needs } of members) {
    for (const { resource, amount } of needs) most.set(resource, Math.max(amount, most.get(resource) ?? 0));
  }
  const sizeOf = ({ needs }: PodInfo) =>
    needs.reduce((sum, { resource, amount }) => sum + amount / (most.get(resource) ?? amount), 0);
  const sized = members.map((member) => ({ member, size: sizeOf(member) }));
  sized.sort((one, other) => other.size - one.size || byName(one.member, other.member));
  return sized.map(({ member }) => member);
}

const numeric = new Intl.Collator('en', { numeric: true });

/** The second before the tenth. */
export function byName(one: Pick<PodInfo, 'key'>, other: Pick<PodInfo, 'key'>): number {
  return numeric.compare(one.key, other.key);
}

/** The member as one that only goes to nodes where the label has that value. */
export function within(member: PodInfo, key: string, value: string): PodInfo {
  return {
    ...member,
    nodeSelector: [...member.nodeSelector, [key, value]],
    shape: JSON.stringify([member.shape, key, value]),
  };
}

/** The member with its claims on the nodes where members before it settle them. */
export function following(member: PodInfo, settled: ReadonlyMap<string, string>): PodInfo {
  if (settled.size === 0 || member.claims.length === 0) return member;
  const claims = member.claims.map((claim) =>
    claim.nodeName === '' ? { ...claim, nodeName: settled.get(claim.key) ?? '' } : claim,
  );
  return { ...member, claims };
}
