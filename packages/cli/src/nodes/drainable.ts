import { controllerOf } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';

/** What a user accepts to lose, or to leave. */
export interface DrainRules {
  readonly force?: boolean;
  readonly ignoreDaemonsets?: boolean;
  readonly deleteEmptydirData?: boolean;
}

export interface Drainable {
  /** Pods that are to go. */
  readonly going: readonly Live<Pod>[];
  /** Why none may go yet, one line for each reason. */
  readonly objections: readonly string[];
  /** What is lost, or left, by the user's own word. */
  readonly warnings: readonly string[];
}

/**
 * Which of a node's Pods go, and what is against it. Pods that have ended, or are asked to go already, lose nothing more. Source
 * of the rules: https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/
 */
export function drainable(pods: readonly Live<Pod>[], rules: DrainRules): Drainable {
  const daemons = pods.filter((pod) => isAlive(pod) && managerOf(pod) === 'DaemonSet');
  const others = pods.filter((pod) => !daemons.includes(pod));
  const alive = others.filter(isAlive);
  const judgements = [
    {
      pods: daemons,
      accepted: rules.ignoreDaemonsets,
      objection: 'a DaemonSet would make these Pods again here (--ignore-daemonsets leaves them)',
      warning: 'leaving Pods of DaemonSets',
    },
    {
      pods: alive.filter((pod) => managerOf(pod) === undefined),
      accepted: rules.force,
      objection: 'nobody would make these Pods again (--force evicts them all the same)',
      warning: 'evicting Pods that nobody will make again',
    },
    {
      pods: alive.filter(({ spec }) => spec.volumes.some(({ emptyDir }) => emptyDir !== undefined)),
      accepted: rules.deleteEmptydirData,
      objection: 'these Pods would lose their emptyDir volumes (--delete-emptydir-data evicts them all the same)',
      warning: 'evicting Pods that lose their emptyDir volumes',
    },
  ].filter((each) => each.pods.length > 0);
  const line = (text: string, some: readonly Live<Pod>[]) =>
    `${text}: ${some.map(({ metadata: { namespace, name } }) => `${namespace}/${name}`).join(', ')}`;
  return {
    going: others,
    objections: judgements.filter(({ accepted }) => accepted !== true).map((each) => line(each.objection, each.pods)),
    warnings: judgements.filter(({ accepted }) => accepted === true).map((each) => line(each.warning, each.pods)),
  };
}

function isAlive({ metadata, status }: Live<Pod>): boolean {
  return metadata.deletionTimestamp === '' && status.phase !== 'Succeeded' && status.phase !== 'Failed';
}

/** The kind of the Pod's controller. */
function managerOf(pod: Live<Pod>): string | undefined {
  return controllerOf(pod)?.kind;
}
