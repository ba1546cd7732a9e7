import type { ClientWrite } from '@navarch/client';
import { deployment as deploymentKind, pinsOf, releaseRecords } from '@navarch/kinds';
import { revisionAnnotation } from './annotations.ts';
import { standingRecord } from './auto-rollback.ts';
import { currentRevision } from './replica-sets.ts';
import type { Seen } from './seen.ts';

/** The write that brings the Deployment's annotations up to date: its revision, and no rollback or pin that is over. */
export function recordWrite(seen: Seen): ClientWrite | undefined {
  const { deployment, known, sets } = seen;
  const { metadata } = deployment;
  if (metadata.deletionTimestamp !== '') return undefined;
  // While nobody knows what is wanted, the revision is what it was.
  const revision =
    known === undefined ? (metadata.annotations[revisionAnnotation] ?? '') : String(currentRevision(sets));
  const {
    [releaseRecords.rolledBack]: record,
    [releaseRecords.configPinned]: pinned,
    ...others
  } = metadata.annotations;
  const pins = known === undefined || known.lapsed.length === 0 ? pinned : withoutLapsed(seen, known.lapsed);
  const annotations = {
    ...others,
    ...(pins !== undefined && { [releaseRecords.configPinned]: pins }),
    ...(revision !== '' && { [revisionAnnotation]: revision }),
    ...(record !== undefined && standingRecord(deployment, sets, known) && { [releaseRecords.rolledBack]: record }),
  };
  const same =
    annotations[revisionAnnotation] === metadata.annotations[revisionAnnotation] &&
    annotations[releaseRecords.rolledBack] === record &&
    pins === pinned;
  if (same) return undefined;
  return { type: 'update', kind: deploymentKind, object: { ...deployment, metadata: { ...metadata, annotations } } };
}

/** Undefined when none is left. */
function withoutLapsed({ deployment }: Seen, lapsed: readonly string[]): string | undefined {
  const left = Object.entries(pinsOf(deployment)).filter(([key]) => !lapsed.includes(key));
  return left.length === 0 ? undefined : JSON.stringify(Object.fromEntries(left));
}
