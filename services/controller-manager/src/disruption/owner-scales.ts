import { type Client, type Lister, travelsOnFeed } from '@navarch/client';
import type { RunnerInformers } from '@navarch/controller';
import {
  controllerOf,
  builtinKinds,
  customKinds,
  customResourceDefinition,
  deployment as deploymentKind,
  type KindDefinition,
  kinds,
  manifest,
  replicaSet as replicaSetKind,
} from '@navarch/kinds';
import { isApiError, type JsonObject, type KubeObject, parsePath } from '@navarch/machinery';
import type { CustomResourceDefinition, OwnerReference } from '@navarch/proto';
import { metadataOf } from '../ownership.ts';

/** Kinds that make Pods without being scaled: where they say how many. */
const countedOtherwise: Readonly<Record<string, { readonly path: string; readonly usual: number }>> = {
  'jobs.batch': { path: 'spec.parallelism', usual: 1 },
  'daemonsets.apps': { path: 'status.desiredNumberScheduled', usual: 0 },
};

/** Says how many Pods a controller wants: of built-in kinds from the caches, of custom kinds by asking the api. */
export class OwnerScales {
  readonly #listers = new Map<KindDefinition, Lister<KubeObject>>();
  readonly #definitions: Lister<CustomResourceDefinition>;
  readonly #client: Pick<Client, 'getScale'>;

  /** Before the informers start. */
  constructor(informers: Pick<RunnerInformers, 'lister'>, client: Pick<Client, 'getScale'>) {
    for (const kind of kinds) {
      if (replicasPath(kind) !== undefined && travelsOnFeed(kind)) this.#listers.set(kind, informers.lister(kind));
    }
    this.#definitions = informers.lister(customResourceDefinition);
    this.#client = client;
  }

  /** Undefined when the owner is not there, is another object by now, or its kind doesn't say. */
  async of(owner: OwnerReference, namespace: string, signal: AbortSignal): Promise<number | undefined> {
    const kind = builtinKinds.byApiVersion(owner.apiVersion, owner.kind);
    if (kind === undefined) return this.#ofCustom(owner, namespace, signal);
    const object = this.#listers.get(kind)?.get({ namespace, name: owner.name });
    if (object === undefined || metadataOf(object).uid !== owner.uid) return undefined;
    // While a Deployment rolls over, its ReplicaSets' numbers move; what it wants is its own.
    const above = kind === replicaSetKind ? controllerOf({ metadata: metadataOf(object) }) : undefined;
    const isOfDeployment = above?.kind === deploymentKind.kind && above.apiVersion === deploymentKind.apiVersion;
    return isOfDeployment ? this.of(above, namespace, signal) : replicasOf(kind, object);
  }

  async #ofCustom(owner: OwnerReference, namespace: string, signal: AbortSignal): Promise<number | undefined> {
    const kind = this.#definitions
      .list()
      .flatMap((definition) => customKinds(definition))
      .find(({ kind }) => kind.apiVersion === owner.apiVersion && kind.kind === owner.kind)?.kind;
    if (kind?.scale === undefined) return undefined;
    try {
      const { metadata, spec } = await this.#client.getScale(kind, { namespace, name: owner.name }, { signal });
      return metadata?.uid === owner.uid ? (spec?.replicas ?? 0) : undefined;
    } catch (error) {
      if (isApiError(error, 'NotFound')) return undefined;
      throw error;
    }
  }
}

function replicasPath(kind: KindDefinition) {
  return kind.scale === undefined ? countedOtherwise[kind.resource] : { path: kind.scale.specReplicas, usual: 1 };
}

function replicasOf(kind: KindDefinition, object: KubeObject): number | undefined {
  const counted = replicasPath(kind);
  if (counted === undefined) return undefined;
  let value: unknown = manifest(kind, object);
  for (const step of parsePath(counted.path)) {
    value = typeof value === 'object' && value !== null ? (value as JsonObject)[step] : undefined; // an object
  }
  return typeof value === 'number' ? value : counted.usual;
}
