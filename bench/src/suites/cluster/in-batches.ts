import { type Client, createWrite } from '@navarch/client';
import type { KindDefinition } from '@navarch/kinds';
import type { KubeObject } from '@navarch/machinery';

/** The api's limit for one call. */
const mostWrites = 100;
const callsAtOnce = 4;

/** Calls `send` with a hundred items at a time, four calls at once. */
export async function inBatches<T>(items: readonly T[], send: (batch: readonly T[]) => Promise<void>): Promise<void> {
  const batches = Array.from({ length: Math.ceil(items.length / mostWrites) }, (_, number) =>
    items.slice(number * mostWrites, (number + 1) * mostWrites),
  );
  const sender = async () => {
    for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) await send(batch);
  };
  await Promise.all(Array.from({ length: callsAtOnce }, sender));
}

/** Creates the objects. Throws the first refusal. */
export async function createAll<T extends KubeObject>(
  { client }: { readonly client: Pick<Client, 'transact'> },
  kind: KindDefinition<T>,
  objects: readonly T[],
): Promise<void> {
  await inBatches(objects, async (batch) => {
    for (const outcome of await client.transact(batch.map((object) => createWrite(kind, object)))) {
      if (!outcome.ok) throw new Error(`a create was refused: ${outcome.error.message}`);
    }
  });
}
