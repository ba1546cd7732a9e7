import type { FieldError } from '@navarch/machinery';
import { ObjectMeta, PersistentVolumeClaim, type PodSpec, StatefulSet, Volume } from '@navarch/proto';
import { defineKind } from './define-kind.ts';
import { persistentVolumeClaim } from './persistent-volume-claim.ts';
import { completePodSpec } from './pod-complete.ts';
import { duplicates } from './rules.ts';
import { templateColumns, templateScale, validateTemplate } from './template.ts';

/** Pods' labels hold the name of their revision, `name-` and a hash of ten, and a label's value has at most 63. */
const longestName = 52;

export const statefulSet = defineKind('statefulSet', StatefulSet, {
  group: 'apps',
  plural: 'statefulsets',
  shortNames: ['sts'],
  categories: ['all'],
  nameFormat: 'label',
  columns: [
    { title: 'READY', value: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 1}` },
    ...templateColumns,
  ],
  complete: ({ spec }) => {
    if (spec === undefined) return;
    completePodSpec(spec.template?.spec);
    const strategy = (spec.updateStrategy ??= { type: undefined, rollingUpdate: undefined });
    strategy.type ??= 'RollingUpdate';
    if (strategy.type === 'RollingUpdate') {
      strategy.rollingUpdate ??= { partition: undefined, maxUnavailable: undefined };
      strategy.rollingUpdate.partition ??= 0;
    } else if (strategy.rollingUpdate?.partition === 0 && strategy.rollingUpdate.maxUnavailable === undefined) {
      // What was completed above before the type changed to OnDelete is nobody's wish, and goes.
      strategy.rollingUpdate = undefined;
    }
    const retention = (spec.persistentVolumeClaimRetentionPolicy ??= { whenDeleted: undefined, whenScaled: undefined });
    retention.whenDeleted ??= 'Retain';
    retention.whenScaled ??= 'Retain';
  },
  validate: (set) => [
    ...validateName(set),
    ...validateTemplate(withClaimVolumes(set)),
    ...validateUpdateStrategy(set),
    ...validateClaimTemplates(set),
  ],
  scale: templateScale,
  example: 'kinds/statefulset.yaml',
});

/** The Pod's volumes with those of the claims: a claim template's name is a volume's, and wins over one of the Pod's own. */
export function claimVolumes(
  { volumes }: Pick<PodSpec, 'volumes'>,
  claims: readonly { readonly name: string; readonly claimName: string }[],
): Volume[] {
  const names = new Set(claims.map(({ name }) => name));
  return [
    ...volumes.filter(({ name }) => !names.has(name)),
    ...claims.map(({ name, claimName }) => Volume.fromPartial({ name, persistentVolumeClaim: { claimName } })),
  ];
}

/** As its Pods will be, so that containers may mount what the claims give. */
function withClaimVolumes(set: StatefulSet): StatefulSet {
  const { spec } = set;
  if (spec?.template?.spec === undefined) return set;
  const { volumes } = spec.template.spec;
  // Behind the Pod's own, whose places in the manifest errors name.
  const names = new Set(spec.volumeClaimTemplates.map(({ metadata }) => metadata?.name ?? ''));
  for (const { name } of volumes) names.delete(name);
  const added = claimVolumes(
    { volumes: [] },
    [...names].map((name) => ({ name, claimName: name })),
  );
  const podSpec = { ...spec.template.spec, volumes: [...volumes, ...added] };
  return { ...set, spec: { ...spec, template: { ...spec.template, spec: podSpec } } };
}

function validateName({ metadata }: StatefulSet): FieldError[] {
  const { length } = metadata?.name ?? '';
  if (length <= longestName) return [];
  const message = `must have at most ${longestName} characters, not ${length}: Pods' labels and host names are made from it`;
  return [{ path: 'metadata.name', message }];
}

function validateUpdateStrategy({ spec }: StatefulSet): FieldError[] {
  const { type, rollingUpdate } = spec?.updateStrategy ?? {};
  if (rollingUpdate === undefined) return [];
  const path = 'spec.updateStrategy.rollingUpdate';
  if (type === 'OnDelete') return [{ path, message: 'must not be set when the type is OnDelete' }];
  const { maxUnavailable } = rollingUpdate;
  if (maxUnavailable === 0 || maxUnavailable === '0%') {
    return [{ path: `${path}.maxUnavailable`, message: 'must not be 0: nothing could be replaced' }];
  }
  if (typeof maxUnavailable === 'string' && Number.parseInt(maxUnavailable, 10) > 100) {
    return [{ path: `${path}.maxUnavailable`, message: `"${maxUnavailable}" must be at most 100%` }];
  }
  return [];
}

function validateClaimTemplates({ spec }: StatefulSet): FieldError[] {
  const templates = spec?.volumeClaimTemplates ?? [];
  const pathOf = (index: number) => `spec.volumeClaimTemplates[${index}]`;
  const ofEach = templates.flatMap(({ metadata, spec: claim }, index): FieldError[] => {
    const path = pathOf(index);
    const unnamed = (metadata?.name ?? '') === '';
    const object = PersistentVolumeClaim.fromPartial({ metadata: ObjectMeta.create(metadata) });
    const errors = persistentVolumeClaim.validate?.({ ...object, spec: claim }) ?? [];
    return [
      ...(unnamed ? [{ path: `${path}.metadata.name`, message: 'must be set: containers mount the claim by it' }] : []),
      ...errors.map((error) => ({ ...error, path: `${path}.${error.path}` })),
    ];
  });
  return [
    ...duplicates(
      templates,
      ({ metadata }) => metadata?.name || undefined,
      (index) => `${pathOf(index)}.metadata.name`,
    ),
    ...ofEach,
  ];
}
