import type { InformerSet } from '@navarch/client';
import { pod as podKind } from '@navarch/kinds';
import { ApiError, keyOf, type Live } from '@navarch/machinery';
import { type ExplainRequest, ExplainResponse, PlanResponse, type PlanTask, type Pod } from '@navarch/proto';
import { explainPod } from '../why/explain-pod.ts';
import type { Picture } from '../why/picture.ts';
import { inSlices } from './in-slices.ts';
import { plan } from './plan.ts';

export interface PlannerOptions {
  readonly informers: InformerSet;
  /** The cluster as it is known now, as a copy. */
  readonly picture: () => Picture;
}

/** Answers what the scheduler would do, on copies of what it knows. Changes nothing. */
export class Planner {
  readonly #options: PlannerOptions;

  constructor(options: PlannerOptions) {
    this.#options = options;
  }

  /** How it stands with a Pod, seen at `revision` or later. */
  async explain({ namespace, name }: ExplainRequest, revision: bigint, signal: AbortSignal): Promise<ExplainResponse> {
    const { informers, picture } = this.#options;
    await informers.reached(revision, signal);
    const pod = informers.lister(podKind).get({ namespace, name });
    if (pod === undefined) throw new ApiError('NotFound', `pod "${namespace}/${name}" not found`);
    const seen = informers.revision;
    const answer = await inSlices(explainPod(pod, picture()), signal);
    return ExplainResponse.fromPartial({ ...answer, revision: seen });
  }

  /** What would become of Pods, seen at `revision` or later. */
  async plan(task: PlanTask, revision: bigint, signal: AbortSignal): Promise<PlanResponse> {
    const { informers, picture } = this.#options;
    await informers.reached(revision, signal);
    const seen = informers.revision;
    const scene = { picture: picture(), pods: byAge(informers.lister(podKind).list()) };
    const answer = await inSlices(plan(task, scene), signal);
    return PlanResponse.fromPartial({ ...answer, revision: seen });
  }
}

/** By key, in the order in which they came. */
function byAge(pods: readonly Live<Pod>[]): ReadonlyMap<string, Live<Pod>> {
  const sorted = pods.toSorted(({ metadata: one }, { metadata: other }) => {
    if (one.creationTimestamp !== other.creationTimestamp)
      return one.creationTimestamp < other.creationTimestamp ? -1 : 1;
    return one.name < other.name ? -1 : 1;
  });
  return new Map(sorted.map((pod) => [keyOf(pod), pod]));
}
