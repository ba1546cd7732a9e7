import { abortable, type Clock } from '@navarch/kit';
import type { Live } from '@navarch/machinery';
import type { Endpoint, EndpointSlice, Pod } from '@navarch/proto';

/** What is seen of who sends to the Pod: by this node's caches, and by its rules. */
export interface RemovalView {
  /** Resolves after the next change of anything here. */
  changed(): Promise<void>;
  slices(): readonly Live<EndpointSlice>[];
  /** Whether rules of this node lead to the address. */
  leadsTo(ip: string): boolean;
  /** Resolves once this node's rules are what its caches show now. */
  applied(signal: AbortSignal): Promise<void>;
}

export interface RemovalTimes {
  /** The wait ends after this in any case. */
  readonly longestMs: number;
  /** Others hear of a change as we do, but need time to follow; and what was just sent still arrives. */
  readonly settleMs: number;
}

/**
 * Resolves when nobody sends new connections to a Pod that is being deleted, with 'removed', or with 'late' when that
 * could not be seen in time; at once when no Service leads to it.
 *
 * What is waited for is that the EndpointSlices say that the Pod ends. Whoever writes that has seen the deletion, and so
 * everything that made somebody ask for it: in a rolling update, that another Pod is ready in its place. A slice that
 * still counts on the Pod may be the only one that any node knows to send to.
 */
export async function endpointRemoved(
  pod: Live<Pod>,
  view: RemovalView,
  { longestMs, settleMs, clock }: RemovalTimes & { readonly clock: Clock },
  signal: AbortSignal,
): Promise<'removed' | 'late'> {
  const { podIp } = pod.status;
  const named = view.slices().some(({ endpoints }) => endpoints.some((endpoint) => isOf(endpoint, pod)));
  if (podIp === '' || (!named && !view.leadsTo(podIp))) return 'removed';
  const late = new AbortController();
  using _timer = clock.timer(longestMs, () => late.abort());
  const bound = AbortSignal.any([signal, late.signal]);
  try {
    while (isCountedOn(pod, view.slices())) await abortable(view.changed(), bound);
    await view.applied(bound);
  } catch (error) {
    signal.throwIfAborted();
    if (!late.signal.aborted) throw error;
    return 'late';
  }
  await clock.sleep(settleMs, signal);
  return 'removed';
}

/** Whether a slice takes the Pod for one that stays. */
export function isCountedOn(pod: Live<Pod>, slices: readonly Live<EndpointSlice>[]): boolean {
  return slices.some(({ endpoints }) => endpoints.some((endpoint) => isOf(endpoint, pod) && stays(endpoint)));
}

/** By its uid: addresses are given again, and Pods in the node's network share one. */
function isOf({ targetRef }: Endpoint, { metadata }: Live<Pod>): boolean {
  return targetRef?.kind === 'Pod' && targetRef.uid === metadata.uid;
}

/** Not by `ready` alone: a Service that publishes Pods which aren't ready calls them so to the end. */
function stays({ conditions }: Endpoint): boolean {
  return conditions?.terminating !== true && conditions?.ready !== false;
}
