import { revisionHashLabel, controllerRevision } from '@navarch/kinds';
import { decodeObject, type Live, messageSchema } from '@navarch/machinery';
import { type ControllerRevision, PodTemplateSpec } from '@navarch/proto';
import type { Revision, RolloutKind, Workload } from './rollout-kind.ts';

/**
 * The entries of kinds whose history is ControllerRevisions. `podHash` gives what the label of Pods says of a revision: the
 * whole name, or its hash.
 */
export function keptInRevisions(
  podHash: (record: Live<ControllerRevision>) => string,
): Pick<RolloutKind<Workload, ControllerRevision>, 'records' | 'revision' | 'hashLabel' | 'canPause'> {
  return {
    records: controllerRevision,
    revision: (record) => readRevision(record, podHash(record)),
    hashLabel: revisionHashLabel,
    canPause: false,
  };
}

export const revisionName = ({ metadata }: Live<ControllerRevision>) => metadata.name;
export const revisionHash = ({ metadata }: Live<ControllerRevision>) => metadata.labels[revisionHashLabel] ?? '';

/** Undefined for a record whose data is no template. */
function readRevision({ metadata, revision, data }: Live<ControllerRevision>, hash: string): Revision | undefined {
  const template = field(field(data, 'spec'), 'template');
  if (template === undefined) return undefined;
  const { $patch: _, ...manifest } = template;
  return {
    number: revision,
    cause: metadata.annotations['kubernetes.io/change-cause'] ?? '',
    hash,
    template: decodeObject<PodTemplateSpec>(messageSchema(PodTemplateSpec.$type), manifest).value,
  };
}

function field(value: unknown, name: string): Readonly<Record<string, unknown>> | undefined {
  const inner = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined; // JSON
  return typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : undefined; // JSON
}
