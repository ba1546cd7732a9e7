import type { ClientWrite } from '@navarch/client';
import {
  type ConfigKind,
  type ConfigPins,
  type ConfigReference,
  configKey,
  configMap as configMapKind,
  configReferences,
  copiesOf,
  deployment as deploymentKind,
  isConfigRollout,
  pinsOf,
  releaseRecords,
  secret as secretKind,
  withConfigNames,
} from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { ConfigMap, type Deployment, ObjectMeta, type PodTemplateSpec, type ReplicaSet, Secret } from '@navarch/proto';
import { canonicalJson } from '../canonical.ts';
import { shortHash } from '../child-name.ts';
import { controllerReference, isControlledBy } from '../ownership.ts';
import { revisionOf } from './annotations.ts';

/** ConfigMaps and Secrets as they are seen now. */
export interface Configuration {
  readonly get: (kind: ConfigKind, name: string) => Settings | undefined;
  /** Those that the Deployment owns: its copies. */
  readonly copies: readonly Settings[];
}

export type Settings =
  | { readonly kind: 'ConfigMap'; readonly object: Live<ConfigMap> }
  | { readonly kind: 'Secret'; readonly object: Live<Secret> };

/** A template whose settings can't change any more, and which copy it names for which original. */
export interface KnownTemplate {
  readonly template: PodTemplateSpec;
  readonly copies: Readonly<Record<string, string>>;
  /** Pins whose originals have changed since: they hold no more. */
  readonly lapsed: readonly string[];
}

export interface Resolved {
  /** Undefined while something is missing. */
  readonly known: KnownTemplate | undefined;
  /** Copies to be made before anything else. */
  readonly missing: readonly ClientWrite[];
  /** What is waited for: ConfigMap/app. */
  readonly lacks?: string;
}

/**
 * The template that Pods are made of. Where a release includes its settings, it names immutable copies of them, so that
 * Pods of an old revision keep theirs, whenever they start. An original that was deleted changes nothing: the newest
 * copy of it stays in use. Undefined `configuration`: the Deployment doesn't ask for this.
 */
export function resolveTemplate(
  deployment: Live<Deployment>,
  owned: readonly Live<ReplicaSet>[],
  configuration: Configuration | undefined,
): Resolved {
  const { template } = deployment.spec;
  if (template?.spec === undefined || configuration === undefined || !isConfigRollout(deployment))
    return { known: template && { template, copies: {}, lapsed: [] }, missing: [] };
  const choices = new Map<string, Choice>();
  const latest = owned.toSorted((a, b) => revisionOf(b) - revisionOf(a)).map(copiesOf);
  const choose = chooser(deployment, configuration, latest);
  for (const reference of configReferences(template.spec)) {
    const key = configKey(reference);
    const before = choices.get(key);
    if (before === undefined || before.use === undefined) choices.set(key, choose(reference));
  }
  for (const [key, { use }] of choices) if (use === undefined) return { known: undefined, missing: [], lacks: key };
  const missing = [...choices.values()].flatMap(({ write }) => (write === undefined ? [] : [write]));
  const copies = Object.fromEntries(
    [...choices].flatMap(([key, { use = '' }]) => (use === key.slice(key.indexOf('/') + 1) ? [] : [[key, use]])),
  );
  const spec = withConfigNames(template.spec, (reference) => choices.get(configKey(reference))?.use ?? reference.name);
  const lapsed = [...choices].flatMap(([key, { lapsed = false }]) => (lapsed ? [key] : []));
  return { known: { template: { ...template, spec }, copies, lapsed }, missing };
}

/** Copies that no ReplicaSet's template names any more. */
export function unusedCopies(
  { copies }: Configuration,
  owned: readonly Live<ReplicaSet>[],
  known: KnownTemplate | undefined,
): readonly ClientWrite[] {
  const templates = [...owned.map(({ spec }) => spec.template), known?.template];
  const used = new Set(templates.flatMap((template) => configReferences(template?.spec).map(configKey)));
  return copies
    .filter(({ kind, object: { metadata } }) => {
      return !used.has(configKey({ kind, name: metadata.name })) && metadata.deletionTimestamp === '';
    })
    .map(({ kind, object: { metadata } }): ClientWrite => {
      const { namespace, name, uid } = metadata;
      const of = kind === 'ConfigMap' ? configMapKind : secretKind;
      return { type: 'delete', kind: of, key: { namespace, name }, options: { uid } };
    });
}

interface Choice {
  /** The name to put into the template; undefined when nothing can stand there. */
  readonly use: string | undefined;
  readonly write?: ClientWrite;
  readonly lapsed?: boolean;
}

function chooser(
  deployment: Live<Deployment>,
  { get }: Configuration,
  latest: readonly Readonly<Record<string, string>>[],
) {
  const pins: ConfigPins = pinsOf(deployment);
  return (reference: ConfigReference): Choice => {
    const { kind, name, optional } = reference;
    const key = configKey(reference);
    const found = get(kind, name);
    // The template was taken from a ReplicaSet as it is.
    if (found !== undefined && isControlledBy(found.object, deployment)) return { use: name };
    const pin = pins[key];
    if (found === undefined || found.object.metadata.deletionTimestamp !== '') {
      const last = pin?.use ?? latest.find((copies) => copies[key] !== undefined)?.[key];
      return { use: optional ? name : last };
    }
    const copy = copyName(found, deployment.metadata.uid);
    if (pin !== undefined && (pin.unless === undefined || pin.unless === copy) && get(kind, pin.use) !== undefined)
      return { use: pin.use };
    const lapsed = pin !== undefined;
    const present = get(kind, copy);
    if (present === undefined) return { use: copy, lapsed, write: copyWrite(found, copy, deployment) };
    return { use: isControlledBy(present.object, deployment) ? copy : undefined, lapsed };
  };
}

/**
 * The name follows from what the settings say. A Secret's uid goes into it as well: it is known only to those who may read
 * the Secret, so that nobody can find out what it holds by trying.
 */
function copyName(settings: Settings, owner: string): string {
  const { name, uid } = settings.object.metadata;
  const content =
    settings.kind === 'ConfigMap' ? [contentOf(settings.object)] : [uid, secretContentOf(settings.object)];
  return `${name.slice(0, 240)}-${shortHash(canonicalJson([owner, settings.kind, name, ...content]), 10)}`;
}

/** Objects of a cache don't change, and settings may be large. */
const texts = new WeakMap<object, string>();

function contentOf(object: Live<ConfigMap>): string {
  return remembered(object, () => ConfigMap.toJSON({ ...object, metadata: undefined, immutable: undefined }));
}

function secretContentOf(object: Live<Secret>): string {
  return remembered(object, () => Secret.toJSON({ ...object, metadata: undefined, immutable: undefined }));
}

function remembered(object: object, json: () => unknown): string {
  const text = texts.get(object) ?? shortHash(canonicalJson(json()), 32);
  texts.set(object, text);
  return text;
}

function copyWrite(settings: Settings, name: string, deployment: Live<Deployment>): ClientWrite {
  const { namespace, name: original } = settings.object.metadata;
  const metadata = ObjectMeta.create({
    name,
    namespace,
    annotations: { [releaseRecords.configOf]: original },
    ownerReferences: [controllerReference(deploymentKind, deployment)],
  });
  if (settings.kind === 'ConfigMap') {
    const object: ConfigMap = { ...settings.object, metadata, immutable: true };
    return { type: 'create', kind: configMapKind, object };
  }
  const object: Secret = { ...settings.object, metadata, immutable: true };
  return { type: 'create', kind: secretKind, object };
}
