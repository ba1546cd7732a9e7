import type { Live } from '@navarch/machinery';
import { Lease } from '@navarch/proto';

/** Whether a candidate that has seen `lease` unchanged for `unchangedMs` may take it. */
export function mayTake(lease: Live<Lease> | undefined, identity: string, unchangedMs: number): boolean {
  if (!lease) return true;
  const { holderIdentity, leaseDurationSeconds } = lease.spec;
  return holderIdentity === '' || holderIdentity === identity || unchangedMs > leaseDurationSeconds * 1000;
}

/** The Lease with `identity` as its holder. It counts as a new term unless it was held by `identity` already. */
export function taken(
  current: Live<Lease> | undefined,
  key: { readonly namespace: string; readonly name: string },
  identity: string,
  leaseMs: number,
  now: number,
): Lease {
  const time = new Date(now).toISOString();
  const held = current?.spec.holderIdentity === identity;
  return Lease.fromPartial({
    metadata: current?.metadata ?? key,
    spec: {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseMs / 1000),
      acquireTime: held ? current.spec.acquireTime : time,
      renewTime: time,
      leaseTransitions: current ? current.spec.leaseTransitions + (held ? 0 : 1) : 0,
    },
  });
}

export function renewed(lease: Live<Lease>, now: number): Lease {
  return { ...lease, spec: { ...lease.spec, renewTime: new Date(now).toISOString() } };
}

/** The Lease without a holder: free for whoever comes first. */
export function givenBack(lease: Live<Lease>, now: number): Lease {
  return {
    ...renewed(lease, now),
    spec: { ...lease.spec, holderIdentity: '', renewTime: new Date(now).toISOString() },
  };
}
