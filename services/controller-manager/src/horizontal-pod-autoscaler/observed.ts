import type { Live } from '@navarch/machinery';
import type { HorizontalPodAutoscaler, Pod, PushedMetric } from '@navarch/proto';
import type { ScalingHistory } from './history.ts';

/** Everything that a decision about an autoscaler needs. */
export interface Observed {
  readonly autoscaler: Live<HorizontalPodAutoscaler>;
  readonly target: Target | Problem;
  /** Those that the target's selector chooses. */
  readonly pods: readonly MeasuredPod[];
  /** The series of the autoscaler's metrics in its namespace, of whatever object. */
  readonly pushed: readonly PushedMetric[];
  /** Why some of it may not have been heard of, in a sentence each. */
  readonly unheard: { readonly usage: string; readonly pushed: string };
  /** For how long somebody has listened. */
  readonly heardForMs: number;
  /** Other autoscalers of the same target. */
  readonly rivals: readonly string[];
  readonly history: ScalingHistory;
}

/** What is scaled. */
export interface Target {
  /** How many Pods it is told to have. */
  readonly wanted: number;
  /** How many it has. */
  readonly current: number;
  /** Chooses its Pods; empty when it has no such thing. */
  readonly selector: string;
}

/** A Pod with what its node says that it uses. */
export interface MeasuredPod {
  readonly pod: Live<Pod>;
  readonly usage: PodUse | undefined;
}

export interface PodUse {
  /** When it was read: milliseconds since the epoch. */
  readonly atMs: number;
  /** The time over which cpu was averaged. */
  readonly windowMs: number;
  /** In thousandths of a core and in thousandths of a byte. */
  readonly containers: readonly { readonly name: string; readonly cpu: number; readonly memory: number }[];
}

/** Why something can't be said. */
export interface Problem {
  /** In one CamelCase word. */
  readonly reason: string;
  readonly message: string;
}

export function isProblem(value: object): value is Problem {
  return 'reason' in value;
}
