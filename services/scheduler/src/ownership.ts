import { podGroupLabel } from '@navarch/kinds';
import type { PodInfo } from './pod-info.ts';
import type { PodRules } from './pod-rules.ts';
import type { NamespaceLabels } from './pod-terms.ts';

/** Who places a Pod: the leading scheduler, or any replica, by its identity. */
export type Owner = { readonly type: 'leader' } | { readonly type: 'replica'; readonly identity: string };

const leader: Owner = { type: 'leader' };

/** What decides on who places a Pod. */
export interface Crowd {
  /** The identities of the replicas that are alive. */
  readonly replicas: readonly string[];
  readonly rules: PodRules;
  readonly namespaces: NamespaceLabels;
}

/**
 * Which replica places the Pod; undefined when none is alive. What has to be decided with all other Pods in sight is the leader's: Pods
 * that have rules about other Pods which must hold, Pods that such rules keep away, the members of a group, and Pods that no node can
 * have, for which others may have to leave. All other Pods are anybody's, and divided among the replicas by rendezvous hashing: when one
 * dies its Pods, and no others, get new owners. While replicas disagree on who lives, two may try one Pod; the api lets one of them.
 */
export function ownerOf(pod: PodInfo, { replicas, rules, namespaces }: Crowd): Owner | undefined {
  if (isForLeader(pod) || rules.keepAway(pod.podClass, namespaces)) return leader;
  let [best, weight] = ['', -1];
  for (const identity of replicas) {
    const mine = hash(`${pod.uid} ${identity}`);
    if (mine > weight || (mine === weight && identity > best)) [best, weight] = [identity, mine];
  }
  return best === '' ? undefined : { type: 'replica', identity: best };
}

function isForLeader({ pod, repels, needsNear, spread }: PodInfo): boolean {
  if (repels.length + needsNear.length > 0 || spread.some(({ hard }) => hard)) return true;
  const { metadata, status } = pod;
  if (podGroupLabel in metadata.labels || status.nominatedNodeName !== '') return true;
  return status.conditions.some(({ type, reason }) => type === 'PodScheduled' && reason === 'Unschedulable');
}

/** FNV-1a, 32 bits, its bits mixed once more. Source: http://www.isthe.com/chongo/tech/comp/fnv/ */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  return (value ^ (value >>> 13)) >>> 0;
}
