import type { Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { sooner } from '../plan.ts';
import { isOver, isReady } from '../pod-state.ts';
import { type Failures, retryAtMs } from './failures.ts';
import type { Steps } from './steps.ts';
import { isAvailable, isGoing, isUpdated, type NodeView, type View } from './view.ts';

export interface Managed extends Steps {
  /** Pods among `remove` that have ended, and are made anew. */
  readonly ended: readonly Live<Pod>[];
  /** When the next one that has ended may go. */
  readonly againAfterMs: number | undefined;
}

/**
 * One Pod on each node that should have one, none where there must be none, and no second one but for an update that
 * surges. A node's next Pod is made once the last one is gone.
 */
export function manage(view: View, surges: boolean, failures: Failures): Managed {
  const make: string[] = [];
  const remove: Live<Pod>[] = [...view.lost];
  const ended: Live<Pod>[] = [];
  let againAfterMs: number | undefined;
  for (const node of view.nodes) {
    const { name, fit, pods } = node;
    if (fit === 'must-not') {
      remove.push(...pods.filter((pod) => !isGoing(pod)));
      continue;
    }
    if (pods.length === 0) {
      if (fit === 'should') make.push(name);
      continue;
    }
    const over = pods.filter((pod) => !isGoing(pod) && isOver(pod.status.phase));
    const waitMs = retryAtMs(failures, name) - view.now;
    if (over.length > 0 && waitMs > 0) againAfterMs = sooner(againAfterMs, waitMs);
    else ended.push(...over);
    remove.push(...(surges ? superfluousInSurge(view, node) : superfluous(view, node)));
  }
  return { make, remove: [...remove, ...ended], ended, againAfterMs };
}

/** All but one: one that serves, rather one that is updated. */
function superfluous(view: View, { active }: NodeView): readonly Live<Pod>[] {
  if (active.length < 2) return [];
  const serving = active.filter((pod) => isAvailable(view, pod));
  const kept = serving.find((pod) => isUpdated(view, pod)) ?? serving[0] ?? active[0];
  return active.filter((pod) => pod !== kept);
}

/** An old Pod and a new one may be side by side; the old one goes when the new one is available, or it serves nobody. */
function superfluousInSurge(view: View, { active }: NodeView): readonly Live<Pod>[] {
  const [updated, ...moreUpdated] = active.filter((pod) => isUpdated(view, pod));
  const [old, ...moreOld] = active.filter((pod) => !isUpdated(view, pod));
  const remove = [...moreUpdated, ...moreOld];
  const replaced = old !== undefined && updated !== undefined && (!isReady(old) || isAvailable(view, updated));
  return replaced ? [...remove, old] : remove;
}
