import type { Change } from '@navarch/client';
import { claimNodeAnnotation, claimProblem, inUseFinalizer } from '@navarch/kinds';
import { keyOf, type Live } from '@navarch/machinery';
import type { PersistentVolumeClaim, Pod } from '@navarch/proto';
import type { ClusterEvent } from './filters.ts';

/** What scheduling must know of a claim that a Pod names. */
export interface ClaimInfo {
  /** `namespace/name`. */
  readonly key: string;
  readonly name: string;
  /** The node that has, or will have, the data; '' while no Pod was placed. */
  readonly nodeName: string;
  /** Why no node can serve it: the end of a sentence that begins with "claim data". */
  readonly problem?: string;
}

/** `namespace/name` of the claims that a Pod mounts. */
export function claimKeys({ metadata, spec }: Live<Pod>): readonly string[] {
  const names = spec.volumes.flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? []);
  return [...new Set(names)].map((name) => `${metadata.namespace}/${name}`);
}

/** The claim as one whose data is on that node from now on. */
export function settledOn(nodeName: string, claim: Live<PersistentVolumeClaim>): Live<PersistentVolumeClaim> {
  const { annotations, finalizers } = claim.metadata;
  const metadata = {
    ...claim.metadata,
    annotations: { ...annotations, [claimNodeAnnotation]: nodeName },
    finalizers: finalizers.includes(inUseFinalizer) ? finalizers : [...finalizers, inUseFinalizer],
  };
  return { ...claim, metadata };
}

export function nodeOf({ metadata }: Pick<Live<PersistentVolumeClaim>, 'metadata'>): string {
  return metadata.annotations[claimNodeAnnotation] ?? '';
}

/** The problem of a claim that nobody has made yet. */
export const missing = 'is not there';

interface Known {
  readonly uid: string;
  readonly nodeName: string;
  readonly problem: string | undefined;
  readonly onePod: boolean;
}

/** The claims as the caches show them, with the nodes that were decided for them and are not in the caches yet. */
export class Claims {
  readonly #known = new Map<string, Known>();
  readonly #assumed = new Map<string, { readonly uid: string; readonly nodeName: string }>();
  readonly #users = new Map<string, Set<string>>();

  /** Moves on by a change; tells what it may have made possible. */
  onClaim({ type, object: claim }: Change<PersistentVolumeClaim>): readonly ClusterEvent[] {
    const key = keyOf(claim);
    const { uid, deletionTimestamp } = claim.metadata;
    const nodeName = nodeOf(claim);
    if (type === 'deleted' || nodeName !== '' || this.#assumed.get(key)?.uid !== uid) this.#assumed.delete(key);
    if (type === 'deleted') {
      this.#known.delete(key);
      return [];
    }
    const before = this.#known.get(key);
    const problem = deletionTimestamp === '' ? claimProblem(claim) : 'is being deleted';
    const onePod = claim.spec.accessModes.includes('ReadWriteOncePod');
    this.#known.set(key, { uid, nodeName, problem, onePod });
    const same = before?.uid === uid && before.nodeName === nodeName && before.problem === problem;
    return same ? [] : ['claim-changed'];
  }

  /** What is known now of the claims of a Pod. */
  of({
    key: podKey,
    claimKeys,
  }: {
    readonly key: string;
    readonly claimKeys: readonly string[];
  }): readonly ClaimInfo[] {
    return claimKeys.map((key) => {
      const name = key.slice(key.indexOf('/') + 1);
      const known = this.#known.get(key);
      if (known === undefined) return { key, name, nodeName: '', problem: missing };
      const nodeName = known.nodeName || (this.#assumed.get(key)?.nodeName ?? '');
      const users = this.#users.get(key);
      const taken = known.onePod && users !== undefined && users.size > (users.has(podKey) ? 1 : 0);
      const problem = known.problem ?? (taken ? 'is for one Pod at a time, and another has it' : undefined);
      return { key, name, nodeName, ...(problem !== undefined && { problem }) };
    });
  }

  /** Those of a Pod's claims that the caches show without a node: who binds the Pod has to settle them. */
  unsettled(claimKeys: readonly string[]): readonly string[] {
    return claimKeys.filter((key) => (this.#known.get(key)?.nodeName ?? '') === '');
  }

  /** The decision to put a Pod of these claims on a node counts from now on. */
  assume(claimKeys: readonly string[], nodeName: string): void {
    for (const key of claimKeys) {
      const known = this.#known.get(key);
      if (known?.nodeName === '') this.#assumed.set(key, { uid: known.uid, nodeName });
    }
  }

  /** The decision came to nothing. */
  forget(claimKeys: readonly string[]): void {
    for (const key of claimKeys) this.#assumed.delete(key);
  }

  /** A Pod that mounts these takes room on a node. */
  taken(podKey: string, claimKeys: readonly string[]): void {
    for (const key of claimKeys) {
      const users = this.#users.get(key) ?? new Set();
      this.#users.set(key, users.add(podKey));
    }
  }

  /** It no longer does. */
  left(podKey: string, claimKeys: readonly string[]): void {
    for (const key of claimKeys) {
      const users = this.#users.get(key);
      users?.delete(podKey);
      if (users?.size === 0) this.#users.delete(key);
    }
  }
}
