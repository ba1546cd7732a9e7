import type { Client } from '@navarch/client';
import { claimNodeAnnotation, claimProblem, inUseFinalizer, persistentVolumeClaim } from '@navarch/kinds';
import { isApiError, type Live } from '@navarch/machinery';
import type { PersistentVolumeClaim } from '@navarch/proto';
import type { ClaimDirectories } from './claim-directories.ts';

/** Where a Pod finds the storage of the claims that it names. */
export interface ClaimSource {
  /** The directory with the claim's data, made when the claim is new. Throws, with a reason for the user, when there is none. */
  directory(namespace: string, name: string): Promise<string>;
}

export interface NodeClaimsOptions {
  readonly client: Pick<Client, 'get' | 'update' | 'updateStatus'>;
  readonly directories: ClaimDirectories;
  readonly nodeName: string;
}

/**
 * Serves the claims whose data is on this node. A claim is told to be Bound once its directory is there, so that a claim that
 * is Bound and has none has lost its data: nobody gets an empty directory in its place.
 */
export class NodeClaims implements ClaimSource {
  readonly #options: NodeClaimsOptions;

  constructor(options: NodeClaimsOptions) {
    this.#options = options;
  }

  async directory(namespace: string, name: string): Promise<string> {
    const { client, directories, nodeName } = this.#options;
    const claim = await this.#settled(await this.#read(namespace, name));
    const { uid } = claim.metadata;
    const isBound = claim.status.phase !== '' && claim.status.phase !== 'Pending';
    let path = await directories.find(uid);
    if (path === undefined && isBound)
      throw new Error(`the data of claim "${name}" is no longer on node "${nodeName}"`);
    path ??= await directories.make({ namespace, name, uid });
    if (claim.status.phase !== 'Bound' || claim.status.nodeName !== nodeName) {
      await client.updateStatus(persistentVolumeClaim, boundTo(nodeName, claim));
    }
    return path;
  }

  async #read(namespace: string, name: string): Promise<Live<PersistentVolumeClaim>> {
    try {
      return await this.#options.client.get(persistentVolumeClaim, { namespace, name });
    } catch (error) {
      if (isApiError(error, 'NotFound')) throw new Error(`claim "${name}" not found`, { cause: error });
      throw error;
    }
  }

  /** The claim as one that lives here. A Pod that was put here without the scheduler brings its claims with it. */
  async #settled(claim: Live<PersistentVolumeClaim>): Promise<Live<PersistentVolumeClaim>> {
    const { client, nodeName } = this.#options;
    const { name, annotations, finalizers, deletionTimestamp } = claim.metadata;
    if (deletionTimestamp !== '') throw new Error(`claim "${name}" is being deleted`);
    const problem = claimProblem(claim);
    if (problem !== undefined) throw new Error(`claim "${name}" ${problem}`);
    const node = annotations[claimNodeAnnotation] ?? '';
    if (node === nodeName) return claim;
    if (node !== '') throw new Error(`claim "${name}" lives on node "${node}", not here`);
    const metadata = {
      ...claim.metadata,
      annotations: { ...annotations, [claimNodeAnnotation]: nodeName },
      finalizers: finalizers.includes(inUseFinalizer) ? finalizers : [...finalizers, inUseFinalizer],
    };
    return client.update(persistentVolumeClaim, { ...claim, metadata });
  }
}

function boundTo(nodeName: string, claim: Live<PersistentVolumeClaim>): PersistentVolumeClaim {
  const { accessModes, resources } = claim.spec;
  const storage = resources?.requests['storage'];
  const capacity = storage === undefined ? {} : { storage };
  return { ...claim, status: { ...claim.status, phase: 'Bound', accessModes, capacity, nodeName } };
}
