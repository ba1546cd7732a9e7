import type { Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import type { Steps } from './steps.ts';
import type { Limits } from './strategy.ts';
import { isAvailable, isUpdated, type NodeView, type View } from './view.ts';

/**
 * Which old Pods are replaced now. Those that don't serve anyway go without regard to the limits; each other one only while
 * fewer nodes than the limit are without a Pod that serves, for whatever reason. (Kubernetes does not count the old ones that
 * don't serve: when the template changes again in the middle, twice as many are missing as may be.) Nodes that may
 * keep their Pod, and would get no other, keep it.
 */
export function replaceOld(view: View, limits: Limits): Steps {
  const nodes = view.nodes.filter(({ fit }) => fit === 'should');
  return limits.maxSurge > 0 ? surge(view, nodes, limits.maxSurge) : takeAway(view, nodes, limits.maxUnavailable);
}

function takeAway(view: View, nodes: readonly NodeView[], maxUnavailable: number): Steps {
  const remove: Live<Pod>[] = [];
  const candidates: Live<Pod>[] = [];
  let missing = 0;
  for (const { active } of nodes) {
    const [pod, second] = active;
    const serves = pod !== undefined && second === undefined && isAvailable(view, pod);
    if (!serves) missing++;
    // Of two, one goes first.
    if (pod === undefined || second !== undefined || isUpdated(view, pod)) continue;
    (serves ? candidates : remove).push(pod);
  }
  return { make: [], remove: [...remove, ...candidates.slice(0, Math.max(0, maxUnavailable - missing))] };
}

function surge(view: View, nodes: readonly NodeView[], maxSurge: number): Steps {
  const make: string[] = [];
  const candidates: string[] = [];
  let surging = 0;
  for (const { name, active, pods } of nodes) {
    const old = active.filter((pod) => !isUpdated(view, pod));
    if (active.length > 1) surging++;
    // The one that is ending is a second one, too.
    if (old.length !== 1 || pods.length !== 1) continue;
    const serves = old.every((pod) => isAvailable(view, pod));
    (serves ? candidates : make).push(name);
  }
  return { make: [...make, ...candidates.slice(0, Math.max(0, maxSurge - surging))], remove: [] };
}
