import { type Client, type ClientWrite, updateWrite } from '@navarch/client';
import { persistentVolumeClaim } from '@navarch/kinds';
import { ApiError } from '@navarch/machinery';
import { nodeOf, settledOn } from './claims.ts';

/**
 * The writes that give claims (`namespace/name`) their node. Throws ApiError('Conflict') where one lives elsewhere by now or is being
 * deleted.
 */
export async function settlingWrites(
  client: Pick<Client, 'get'>,
  claimKeys: readonly string[],
  nodeName: string,
  signal: AbortSignal,
): Promise<readonly ClientWrite[]> {
  const writes: ClientWrite[] = [];
  for (const key of claimKeys) {
    const [namespace = '', name = ''] = key.split('/');
    // The cached one may lack what others just wrote to a claim that is this new.
    const claim = await client.get(persistentVolumeClaim, { namespace, name }, { signal });
    const node = nodeOf(claim);
    if (claim.metadata.deletionTimestamp !== '') throw new ApiError('Conflict', `claim ${name} is being deleted`);
    if (node === '') writes.push(updateWrite(persistentVolumeClaim, settledOn(nodeName, claim)));
    else if (node !== nodeName) throw new ApiError('Conflict', `claim ${name} lives on node ${node}`);
  }
  return writes;
}
