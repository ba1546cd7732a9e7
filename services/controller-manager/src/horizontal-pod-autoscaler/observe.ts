import type { PushedMetrics, UsagePicture } from '@navarch/client';
import { builtinKinds, customKinds, type KindDefinition } from '@navarch/kinds';
import { type Live, parseLabelSelector } from '@navarch/machinery';
import type {
  CrossVersionObjectReference,
  CustomResourceDefinition,
  HorizontalPodAutoscaler,
  Pod,
} from '@navarch/proto';
import type { Caches } from '../caches.ts';
import type { MeasuredPod, Observed, PodUse } from './observed.ts';

/** What is heard of usage and of metrics. */
export interface Heard {
  readonly usage: Pick<UsagePicture, 'ofPod' | 'explanation' | 'listenedMs'>;
  readonly pushed: Pick<PushedMetrics, 'named' | 'explanation'>;
}

/** The kind that a reference names. Its version matters only where there is no better clue. */
export function targetKind(
  reference: CrossVersionObjectReference | undefined,
  definitions: readonly CustomResourceDefinition[],
): KindDefinition | undefined {
  const { apiVersion = '', kind: name } = reference ?? {};
  const custom = definitions.flatMap((definition) => customKinds(definition).filter(({ served }) => served));
  const all = [...builtinKinds.all, ...custom.map(({ kind }) => kind)].filter(({ kind }) => kind === name);
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  return (
    all.find((kind) => kind.apiVersion === apiVersion) ??
    all.find((kind) => (apiVersion === '' ? kind.scale !== undefined : kind.group === group))
  );
}

/** The Pods that `selector` chooses, with what is known of their usage. */
export function measuredPods(
  { pods }: Pick<Caches, 'pods'>,
  namespace: string,
  selector: string,
  { usage }: Pick<Heard, 'usage'>,
): readonly MeasuredPod[] {
  if (selector === '') return [];
  const chosen = parseLabelSelector(selector);
  return pods
    .list(namespace)
    .filter(({ metadata }) => chosen(metadata.labels))
    .map((pod) => ({ pod, usage: useOf(pod, usage) }));
}

function useOf({ spec, metadata }: Live<Pod>, usage: Heard['usage']): PodUse | undefined {
  const reading = usage.ofPod(spec.nodeName, metadata.uid);
  if (reading === undefined) return undefined;
  return {
    atMs: reading.atMs,
    windowMs: reading.windowMs,
    containers: reading.used.map(({ name, usage }) => ({
      name,
      cpu: Number(usage?.cpuNanocores ?? 0n) / 1e6,
      memory: Number(usage?.memoryBytes ?? 0n) * 1000,
    })),
  };
}

/** What is pushed of the metrics that an autoscaler names. */
export function pushedFor(
  { metadata, spec }: Live<HorizontalPodAutoscaler>,
  { pushed }: { readonly pushed: Pick<PushedMetrics, 'named'> },
): Observed['pushed'] {
  const names = spec.metrics.map(({ pods, object, external }) => (pods ?? object ?? external)?.metric?.name);
  return [...new Set(names)].flatMap((name) => (name === undefined ? [] : pushed.named(metadata.namespace, name)));
}

/** Other autoscalers that have the same target. */
export function rivalsOf(
  { metadata, spec }: Live<HorizontalPodAutoscaler>,
  all: readonly Live<HorizontalPodAutoscaler>[],
): readonly string[] {
  const target = targetKey(spec.scaleTargetRef);
  return all
    .filter((other) => other.metadata.uid !== metadata.uid && other.metadata.deletionTimestamp === '')
    .filter((other) => targetKey(other.spec.scaleTargetRef) === target)
    .map((other) => other.metadata.name)
    .sort();
}

function targetKey(reference: CrossVersionObjectReference | undefined): string {
  const { apiVersion = '', kind, name } = reference ?? {};
  return JSON.stringify([apiVersion.split('/')[0], kind, name]);
}
