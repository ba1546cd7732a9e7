import type { Kinds } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';
import type { DeleteCollectionRequest } from '@navarch/proto';
import type { CachedObject } from '../cache/cached-object.ts';
import type { Reader } from '../read/reader.ts';
import { notFound } from '../read/resource-name.ts';
import { select, type Selection } from '../read/selection.ts';
import { deleteWrite } from './delete.ts';
import { maxWritesPerTransaction, type Pipeline, type WriteOptions } from './pipeline.ts';
import type { Write } from './write.ts';

/**
 * Asks all objects that selectors choose to go, each on its own, and gives how many were asked. One that is gone, or no
 * longer chosen, when its turn comes is left out, also when another has its name by then. When some are refused the others
 * go all the same, and then it throws.
 */
export async function deleteCollection(
  { kinds, reader, pipeline }: { readonly kinds: Kinds; readonly reader: Reader; readonly pipeline: Pipeline },
  request: DeleteCollectionRequest,
  options: WriteOptions,
): Promise<number> {
  const selection = select(kinds, request);
  const chosen = await reader.select(request, options.signal);
  const refused: ApiError[] = [];
  let count = 0;
  for (let at = 0; at < chosen.length; at += maxWritesPerTransaction) {
    const batch = chosen.slice(at, at + maxWritesPerTransaction);
    const writes = batch.map((object) => () => deleteSelected(kinds, request, selection, object));
    for (const outcome of await pipeline.writeEach(writes, options)) {
      if (outcome.ok) count++;
      else if (outcome.error.reason !== 'NotFound') refused.push(outcome.error);
    }
  }
  const [first] = refused;
  if (first === undefined) return count;
  if (chosen.length === 1) throw first;
  const message = `${refused.length} of ${chosen.length} ${selection.kind.plural} could not be deleted; the first: ${first.message}`;
  throw new ApiError(first.reason, message, { cause: first });
}

function deleteSelected(
  kinds: Kinds,
  { resource, gracePeriodSeconds, propagation }: DeleteCollectionRequest,
  selection: Selection,
  { namespace, name, object }: CachedObject,
): Write {
  const { uid } = object.metadata;
  const which = { resource, namespace, name, uid: '', revision: 0n };
  const write = deleteWrite(kinds, { ...which, gracePeriodSeconds, propagation, fence: undefined, dryRun: false });
  return {
    ...write,
    prepare: (circumstances) => {
      const now = circumstances.view.get(write.kind, namespace, name);
      const stillChosen = now?.object.metadata.uid === uid && selection.matches(now);
      if (!stillChosen) throw notFound(write.kind, name);
      return write.prepare(circumstances);
    },
  };
}
