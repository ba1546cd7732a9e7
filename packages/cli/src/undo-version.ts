import type { Version } from '@navarch/client';
import type { KindDefinition } from '@navarch/kinds';
import type { KubeObject } from '@navarch/machinery';
import { differs } from './content.ts';
import { UserError } from './session.ts';

/** A version that is not a deletion. */
interface Found {
  readonly revision: bigint;
  readonly object: KubeObject;
}

/**
 * The newest version that a user would call the one before: it differs from the newest in more than its status, and was
 * not already on its way to be deleted. Throws UserError when it is not known.
 */
export function earlierVersion(kind: KindDefinition, name: string, versions: readonly Version[]): Found {
  const [current, ...older] = versions;
  const now = current?.object;
  let missing = current?.gap === true;
  for (const { revision, object, gap } of older) {
    if (missing) break;
    missing = gap;
    if (object === undefined || (object.metadata?.deletionTimestamp ?? '') !== '') continue;
    if (now === undefined || differs(kind, now, object)) return { revision, object };
  }
  const why = missing ? 'the versions before it are missing' : 'no other version is known';
  throw new UserError(`${kind.singular} "${name}" can't be undone: ${why}; navctl history shows what there is`);
}

/** The version that the object had at a revision. Throws UserError when it is not known. */
export function versionAt(kind: KindDefinition, name: string, versions: readonly Version[], at: bigint): Found {
  const index = versions.findIndex(({ revision }) => revision <= at);
  const { revision, object } = versions[index] ?? {};
  // Only right after a version nothing is missing is it known to have lasted until the next.
  const known = revision === at || (index > 0 && versions[index - 1]?.gap === false);
  if (revision === undefined || !known) {
    const there = versions.map((version) => version.revision).join(', ');
    throw new UserError(
      `what ${kind.singular} "${name}" was at revision ${at} is not known any more; there is ${there}`,
    );
  }
  if (object === undefined) throw new UserError(`there was no ${kind.singular} "${name}" at revision ${at}`);
  return { revision, object };
}
