import type { KindDefinition } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { LabelSelector, ObjectMeta, PodTemplateSpec } from '@navarch/proto';
import type { RolloutProgress } from './progress.ts';
import type { Return } from './release.ts';

/** An object of whichever kind. */
export interface Workload {
  metadata: ObjectMeta | undefined;
}

/** All that `navctl rollout` must know of a kind. One entry of `rolloutKinds` each. */
export interface RolloutKind<T extends Workload = Workload, R extends Workload = Workload> {
  readonly kind: KindDefinition<T>;
  progress(object: Live<T>): RolloutProgress;
  facts(object: Live<T>): RolloutFacts;
  /** The kind that remembers its revisions: an object of it belongs to the one that rolls out, and has its Pods' labels. */
  readonly records: KindDefinition<R>;
  /** Undefined for one that holds no revision. */
  revision(record: Live<R>): Revision | undefined;
  /** What makes the revision of an earlier record run again, where that is more than its template. */
  returnTo?(object: Live<T>, current: Live<R> | undefined, earlier: Live<R>): Return;
  /** The label by which Pods tell of which revision they are. */
  readonly hashLabel: string;
  /** Whether spec.paused holds a rollout. */
  readonly canPause: boolean;
}

/** What the view shows, wherever a kind keeps it. */
export interface RolloutFacts {
  readonly selector: LabelSelector | undefined;
  readonly template: PodTemplateSpec | undefined;
  readonly paused: boolean;
  /** How many Pods of the new template there shall be. */
  readonly desired: number;
  readonly minReadySeconds: number;
  /** When a rollout that gets no further counts as failed, in milliseconds since 1970. */
  readonly deadlineAt: number | undefined;
  /** Why Pods can't be made; '' when they can. */
  readonly failure: string;
  /** Its Pods' revision, where status says so; otherwise it is the newest. */
  readonly newHash?: string;
  /** What is to be said of revisions, by the names of their records. */
  readonly notes?: Readonly<Record<string, string>>;
  /** The record of a revision that failed, and is not what an undo means. */
  readonly failedRecord?: string;
}

/** One template that was rolled out. */
export interface Revision {
  readonly number: number;
  /** kubernetes.io/change-cause; '' when nobody said. */
  readonly cause: string;
  /** The value of its Pods' hash label. */
  readonly hash: string;
  readonly template: PodTemplateSpec;
}
