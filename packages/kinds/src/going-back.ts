import type { Deployment, PodTemplateSpec, ReplicaSet } from '@navarch/proto';
import { configKey, withConfigNames } from './config-references.ts';
import { podTemplateHashLabel } from './labels.ts';
import { readRecord, releaseRecords } from './release-annotations.ts';

/** By original: the copy that is used, as long as a copy of what the original says now would be named `unless`. */
export type ConfigPins = Readonly<Record<string, { readonly use: string; readonly unless?: string }>>;

/** What a Deployment has to become to run an earlier revision again. */
export interface GoingBack {
  readonly template: PodTemplateSpec | undefined;
  readonly annotations: Record<string, string>;
}

/**
 * The template of an earlier ReplicaSet as the user wrote it, and where that had other settings: to use the copies of them
 * until the ConfigMap or Secret changes again. `now` are the copies that are used now.
 */
export function goingBack(
  deployment: Pick<Deployment, 'metadata'>,
  now: Readonly<Record<string, string>>,
  earlier: ReplicaSet,
): GoingBack {
  const { [releaseRecords.configPinned]: _, ...annotations } = deployment.metadata?.annotations ?? {};
  const pinned = pinsOf(deployment);
  const pins: Record<string, ConfigPins[string]> = {};
  for (const [key, use] of Object.entries(copiesOf(earlier))) {
    // A pin that is not in use any more says nothing of what the original says now.
    const pin = pinned[key];
    const unless = pin !== undefined && pin.use === now[key] ? pin.unless : now[key];
    if (unless !== use) pins[key] = { use, ...(unless !== undefined && { unless }) };
  }
  if (Object.keys(pins).length > 0) annotations[releaseRecords.configPinned] = JSON.stringify(pins);
  return { template: originalTemplate(earlier), annotations };
}

/** A ReplicaSet's template as the user wrote it: without the label of its hash, and with the originals' names. */
export function originalTemplate(replicaSet: ReplicaSet): PodTemplateSpec | undefined {
  const { template } = replicaSet.spec ?? {};
  if (template === undefined) return undefined;
  const originals = new Map(
    Object.entries(copiesOf(replicaSet)).map(([key, copy]) => [`${key.split('/')[0]}/${copy}`, key.split('/')[1]]),
  );
  const { metadata } = template;
  const { [podTemplateHashLabel]: _, ...labels } = metadata?.labels ?? {};
  return {
    metadata: metadata && { ...metadata, labels },
    spec:
      template.spec &&
      withConfigNames(template.spec, (reference) => originals.get(configKey(reference)) ?? reference.name),
  };
}

/** The copies that a ReplicaSet's template names, by original. */
export function copiesOf(object: Pick<ReplicaSet, 'metadata'> | undefined): Readonly<Record<string, string>> {
  const record = readRecord(object?.metadata?.annotations[releaseRecords.config]);
  return Object.fromEntries(
    Object.entries(record).flatMap(([key, copy]) => (typeof copy === 'string' ? [[key, copy]] : [])),
  );
}

export function pinsOf({ metadata }: Pick<Deployment, 'metadata'>): ConfigPins {
  const record = readRecord(metadata?.annotations[releaseRecords.configPinned]);
  return Object.fromEntries(
    Object.entries(record).flatMap(([key, pin]) => {
      const { use, unless } = (pin ?? {}) as Record<string, unknown>; // whatever it is, it is asked for two fields only
      if (typeof use !== 'string') return [];
      return [[key, { use, ...(typeof unless === 'string' && { unless }) }]];
    }),
  );
}
