import type { ClientWrite } from '@navarch/client';
import { revisionHashLabel, controllerRevision as revisionKind, type KindDefinition } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { type ControllerRevision, ObjectMeta, type PodTemplateSpec } from '@navarch/proto';
import { shortHash } from '../child-name.ts';
import { controllerReference } from '../ownership.ts';
import { dataOf, dataText } from './template-data.ts';

/** A StatefulSet or a DaemonSet: what of it its history is about. */
export interface TemplateOwner {
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly template?: PodTemplateSpec | undefined;
    readonly revisionHistoryLimit?: number | undefined;
  };
}

/** An owner's history with today's template in it. */
export interface History {
  /** Oldest first, as the caches show them. */
  readonly all: readonly Live<ControllerRevision>[];
  /** The revision of today's template, as it will be once `write` is done. */
  readonly update: ControllerRevision & { readonly metadata: ObjectMeta };
  /** What is missing: the revision itself, or its place as the newest after a rollback. Absent at the fixed point. */
  readonly write?: ClientWrite;
  /** For the owner's status.collisionCount: how often a name was found to be that of another revision. */
  readonly collisions: number;
}

/** The longest part of an owner's name that stands in its revisions' names. */
const longestPrefix = 223;

/** Belongs to an owner's own manifest. */
const notCopied = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * The history of `owner`. Its template is known by equality: one that was there before is that revision again, with the
 * next number, so that a rollback makes no second revision and its Pods are known as updated.
 *
 * `revisions` are those that `owner` manages; `taken` says whether a revision of a name is in its namespace. A name follows
 * from the template and `collisions`, so a decision made twice from a stale cache makes no second revision.
 * Source: https://kubernetes.io/docs/tasks/manage-daemon/rollback-daemon-set (understanding DaemonSet revisions).
 */
export function historyOf(
  kind: KindDefinition,
  owner: TemplateOwner,
  revisions: readonly Live<ControllerRevision>[],
  options: { readonly taken: { has(name: string): boolean }; readonly collisions: number },
): History {
  const { collisions } = options;
  const all = revisions.toSorted(byAge);
  const newest = all.at(-1);
  const data = dataOf(owner.spec.template);
  const wanted = dataText(data);
  const equal = all.findLast((revision) => dataText(revision.data) === wanted);
  const next = (newest?.revision ?? 0) + 1;
  if (equal === undefined) return withNew(kind, owner, { all, data, revision: next }, options);
  if (equal === newest) return { all, update: equal, collisions };
  const update = { ...equal, revision: next };
  return { all, update, write: { type: 'update', kind: revisionKind, object: update }, collisions };
}

/** The hash by which Pods are told apart; '' for a revision that has none. */
export function hashOf({ metadata }: { readonly metadata: ObjectMeta }): string {
  return metadata.labels[revisionHashLabel] ?? '';
}

/** The oldest revisions beyond the owner's limit. Those `inUse`, by name, neither count nor go. */
export function forgotten(owner: TemplateOwner, all: History['all'], inUse: ReadonlySet<string>): ClientWrite[] {
  const old = all.filter(({ metadata }) => !inUse.has(metadata.name) && metadata.deletionTimestamp === '');
  const excess = Math.max(0, old.length - (owner.spec.revisionHistoryLimit ?? 10));
  return old
    .toSorted(byAge)
    .slice(0, excess)
    .map(({ metadata: { namespace, name, uid } }) => {
      return { type: 'delete', kind: revisionKind, key: { namespace, name }, options: { uid } };
    });
}

function withNew(
  kind: KindDefinition,
  owner: TemplateOwner,
  { all, data, revision }: Pick<History, 'all'> & Pick<ControllerRevision, 'data' | 'revision'>,
  { taken, collisions: before }: { readonly taken: { has(name: string): boolean }; readonly collisions: number },
): History {
  const { metadata, spec } = owner;
  const text = dataText(data);
  let collisions = before;
  const hash = () => shortHash(collisions === 0 ? text : `${text} ${collisions}`, 10);
  const name = () => `${metadata.name.slice(0, longestPrefix)}-${hash()}`;
  while (taken.has(name())) collisions++;
  const { [notCopied]: _, ...annotations } = metadata.annotations;
  const update = {
    metadata: ObjectMeta.create({
      name: name(),
      namespace: metadata.namespace,
      labels: { ...spec.template?.metadata?.labels, [revisionHashLabel]: hash() },
      annotations,
      ownerReferences: [controllerReference(kind, owner)],
    }),
    data,
    revision,
  };
  return { all, update, write: { type: 'create', kind: revisionKind, object: update }, collisions };
}

function byAge(a: Live<ControllerRevision>, b: Live<ControllerRevision>): number {
  const key = ({ metadata }: Live<ControllerRevision>) => `${metadata.creationTimestamp} ${metadata.name}`;
  return a.revision - b.revision || (key(a) < key(b) ? -1 : 1);
}
