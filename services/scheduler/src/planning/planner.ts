import type { InformerSet } from '@navarch/client';
import { pod as podKind } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';
import { type ExplainRequest, ExplainResponse } from '@navarch/proto';
import { explainPod } from '../why/explain-pod.ts';
import type { Picture } from '../why/picture.ts';
import { inSlices } from './in-slices.ts';

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
}
