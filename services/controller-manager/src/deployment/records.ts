import type { ClientWrite } from '@navarch/client';
import { deployment as deploymentKind, releaseRecords } from '@navarch/kinds';
import { revisionAnnotation } from './annotations.ts';
import { standingRecord } from './auto-rollback.ts';
import { currentRevision } from './replica-sets.ts';
import type { Seen } from './seen.ts';

/** The write that brings the Deployment's annotations up to date: its revision, and no rollback that is over. */
export function recordWrite({ deployment, known, sets }: Seen): ClientWrite | undefined {
  const { metadata } = deployment;
  if (metadata.deletionTimestamp !== '') return undefined;
  // While nobody knows what is wanted, the revision is what it was.
  const revision =
    known === undefined ? (metadata.annotations[revisionAnnotation] ?? '') : String(currentRevision(sets));
  const { [releaseRecords.rolledBack]: record, ...others } = metadata.annotations;
  const annotations = {
    ...others,
    ...(revision !== '' && { [revisionAnnotation]: revision }),
    ...(record !== undefined && standingRecord(deployment, sets, known) && { [releaseRecords.rolledBack]: record }),
  };
  const same =
    annotations[revisionAnnotation] === metadata.annotations[revisionAnnotation] &&
    annotations[releaseRecords.rolledBack] === record;
  if (same) return undefined;
  return { type: 'update', kind: deploymentKind, object: { ...deployment, metadata: { ...metadata, annotations } } };
}
