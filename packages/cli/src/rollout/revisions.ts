import { formatLabelSelector, type Live } from '@navarch/machinery';
import { type Session, UserError } from '../session.ts';
import type { Revision, RolloutKind, Workload } from './rollout-kind.ts';

/** A revision, and the object that remembers it. */
export interface Recorded {
  readonly revision: Revision;
  readonly record: Live<Workload>;
}

/** What an object's history holds, oldest revision first. */
export async function findRevisions(
  session: Session,
  rollout: RolloutKind,
  object: Live<Workload>,
): Promise<readonly Recorded[]> {
  const { items } = await session.client().list(rollout.records, {
    namespace: object.metadata.namespace,
    labelSelector: formatLabelSelector(rollout.facts(object).selector),
  });
  return recordedOf(rollout, object, items);
}

/** The same of records that are at hand. */
export function recordedOf(
  rollout: RolloutKind,
  { metadata }: Live<Workload>,
  records: Iterable<Live<Workload>>,
): readonly Recorded[] {
  return [...records]
    .filter((record) => record.metadata.ownerReferences.some(({ uid }) => uid === metadata.uid))
    .flatMap((record) => {
      const revision = rollout.revision(record);
      return revision === undefined ? [] : [{ revision, record }];
    })
    .sort((a, b) => a.revision.number - b.revision.number);
}

/** Throws UserError that tells which there are. */
export function pickRevision(
  revisions: readonly Recorded[],
  number: number,
  { kind }: RolloutKind,
  name: string,
): Recorded {
  const found = revisions.find(({ revision }) => revision.number === number);
  if (found !== undefined) return found;
  const known = revisions.map(({ revision }) => revision.number).join(', ') || 'none';
  throw new UserError(`unable to find revision ${number} of ${kind.singular} "${name}"; there is ${known}`);
}
