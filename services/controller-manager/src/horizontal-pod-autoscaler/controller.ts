import type { ApiClient } from '@navarch/client';
import { type Controller, type ReconcileContext, type ReconcileResult, type Source, source } from '@navarch/controller';
import { horizontalPodAutoscaler as autoscalerKind, type KindDefinition } from '@navarch/kinds';
import { isApiError, keyOf, type Live } from '@navarch/machinery';
import type { HorizontalPodAutoscaler, Scale } from '@navarch/proto';
import type { Caches } from '../caches.ts';
import { carryOut, type Hands } from '../carry-out.ts';
import { noHistory, type ScalingHistory } from './history.ts';
import { type Heard, measuredPods, pushedFor, rivalsOf, targetKind } from './observe.ts';
import { isProblem, type Observed, type Problem } from './observed.ts';
import { afterFailure, type Decision, reconcileAutoscaler } from './reconcile.ts';

export interface AutoscalerParts {
  readonly caches: Pick<Caches, 'autoscalers' | 'definitions' | 'pods'>;
  readonly hands: Hands;
  readonly scales: Pick<ApiClient, 'getScale' | 'updateScale'>;
  readonly heard: Heard;
  /** So often each autoscaler is looked at, and no more often unless its spec changes. */
  readonly syncMs: number;
}

/** As it is kept as the one that set the number of replicas. */
const fieldManager = 'horizontal-pod-autoscaler';

/** What is remembered of an autoscaler between two looks. Nothing breaks when it is lost: see `lookBack`. */
interface Memory {
  readonly uid: string;
  readonly generation: number;
  readonly history: ScalingHistory;
}

/** A target's scale, and how to write it. */
interface Found {
  readonly kind: KindDefinition;
  readonly scale: Scale;
}

/**
 * Sets how many Pods the targets of autoscalers have. What it measures is no change of objects, so it looks every
 * `syncMs`; at the target through the api's Scale, which every kind has that can be scaled.
 */
export function autoscalerController({ caches, hands, scales, heard, syncMs }: AutoscalerParts): Controller {
  const own: Source<HorizontalPodAutoscaler> = source(autoscalerKind, (object) => [keyOf(object)]);
  const memories = new Map<string, Memory>();

  async function find(autoscaler: Live<HorizontalPodAutoscaler>, signal: AbortSignal): Promise<Found | Problem> {
    const { scaleTargetRef } = autoscaler.spec;
    const reason = 'FailedGetScale';
    const kind = targetKind(scaleTargetRef, caches.definitions.list());
    if (kind === undefined) {
      const { kind: name, apiVersion } = scaleTargetRef ?? {};
      return { reason, message: `there is no kind "${name}" of "${apiVersion ?? ''}"` };
    }
    if (kind.scale === undefined) return { reason, message: `${kind.plural} can not be scaled` };
    const key = { namespace: autoscaler.metadata.namespace, name: scaleTargetRef?.name ?? '' };
    try {
      return { kind, scale: await scales.getScale(kind, key, { signal }) };
    } catch (error) {
      if (!isApiError(error, 'NotFound', 'BadRequest', 'Forbidden')) throw error;
      return { reason, message: error.message };
    }
  }

  function observe(
    autoscaler: Live<HorizontalPodAutoscaler>,
    found: Found | Problem,
    memory: Memory | undefined,
  ): Observed {
    const { namespace } = autoscaler.metadata;
    const selector = isProblem(found) ? '' : (found.scale.status?.selector ?? '');
    return {
      autoscaler,
      target: isProblem(found)
        ? found
        : { wanted: found.scale.spec?.replicas ?? 0, current: found.scale.status?.replicas ?? 0, selector },
      pods: measuredPods(caches, namespace, selector, heard),
      pushed: pushedFor(autoscaler, heard),
      unheard: { usage: heard.usage.explanation, pushed: heard.pushed.explanation },
      heardForMs: heard.usage.listenedMs,
      rivals: rivalsOf(autoscaler, caches.autoscalers.list(namespace)),
      history: memory?.history ?? noHistory,
    };
  }

  /** Resolves to the revision of the write; throws what another try may mend, and gives the message of what it may not. */
  async function rescale(
    found: Found,
    replicas: number,
    { fence, signal }: ReconcileContext,
  ): Promise<bigint | string> {
    const { kind, scale } = found;
    const { namespace = '', name = '', uid = '', resourceVersion = '' } = scale.metadata ?? {};
    try {
      const options = { fence, signal, uid, resourceVersion, fieldManager };
      const written = await scales.updateScale(kind, { namespace, name }, replicas, options);
      return BigInt(written.metadata?.resourceVersion || 0);
    } catch (error) {
      if (isApiError(error, 'Invalid', 'BadRequest', 'Forbidden')) return error.message;
      throw error;
    }
  }

  async function step(
    autoscaler: Live<HorizontalPodAutoscaler>,
    memory: Memory | undefined,
    context: ReconcileContext,
    remember: (history: ScalingHistory) => void,
  ): Promise<{ decision: Decision; result: ReconcileResult }> {
    const found = await find(autoscaler, context.signal);
    const observed = observe(autoscaler, found, memory);
    let decision = reconcileAutoscaler(observed, context.now);
    let scaledAt = 0n;
    if (decision.scaleTo !== undefined && !isProblem(found)) {
      // What may have been done counts for the policies, whatever becomes of the answer, and of the status.
      remember({ ...decision.history, lookedMs: observed.history.lookedMs });
      const done = await rescale(found, decision.scaleTo.replicas, context).catch((error: unknown) => {
        if (!isApiError(error, 'Unavailable', 'Timeout', 'Cancelled')) remember(observed.history);
        throw error;
      });
      if (typeof done === 'string') decision = afterFailure(observed, decision, done, context.now);
      else scaledAt = done;
    }
    const { autoscaler: object, events } = decision;
    const writes = object === undefined ? [] : [{ type: 'updateStatus' as const, kind: autoscalerKind, object }];
    const { wroteRevision = 0n } = await carryOut(hands, { writes, events }, context);
    return { decision, result: { wroteRevision: wroteRevision > scaledAt ? wroteRevision : scaledAt } };
  }

  return {
    name: 'horizontal-pod-autoscaler',
    sources: [own],
    reconcile: async (key, context) => {
      const autoscaler = caches.autoscalers.get(key);
      if (autoscaler === undefined || autoscaler.metadata.deletionTimestamp !== '') {
        memories.delete(key);
        return {};
      }
      const { uid, generation } = autoscaler.metadata;
      const last = memories.get(key);
      const memory = last?.uid === uid ? last : undefined;
      const restMs = memory === undefined ? 0 : (memory.history.lookedMs ?? 0) + syncMs - context.now;
      // Its own writes are changes, too, and say nothing new of what is measured.
      if (memory?.generation === generation && restMs > 0 && restMs <= syncMs) return { againAfterMs: restMs };
      const remember = (history: ScalingHistory) => void memories.set(key, { uid, generation, history });
      const { decision, result } = await step(autoscaler, memory, context, remember);
      remember({ ...decision.history, lookedMs: context.now });
      return { ...result, againAfterMs: syncMs };
    },
  };
}
