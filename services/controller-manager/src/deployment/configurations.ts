import type { InformerSet, Lister } from '@navarch/client';
import type { RunnerInformers, RunnerTerm } from '@navarch/controller';
import {
  controllerOf,
  type ConfigKind,
  configMap as configMapKind,
  configReferences,
  deployment as deploymentKind,
  isConfigRollout,
  secret as secretKind,
} from '@navarch/kinds';
import { keyOf, type KubeObject, type Live } from '@navarch/machinery';
import type { ConfigMap, Deployment, Secret } from '@navarch/proto';
import type { Caches } from '../caches.ts';
import { metadataOf } from '../ownership.ts';
import type { Configuration, Settings } from './configuration.ts';

const byConfig = 'config';
const byDeployment = 'deployment';

/**
 * ConfigMaps and Secrets for the Deployments whose releases include them. Their caches tell late of revisions that don't
 * concern them, so nobody waits for them, but once: a leader that saw older settings than its predecessor would roll them out.
 */
export class Configurations {
  readonly #informers: Pick<InformerSet, 'lister' | 'reached'>;
  readonly #deployments: Lister<Deployment>;
  readonly #configMaps: Lister<ConfigMap>;
  readonly #secrets: Lister<Secret>;
  #term: RunnerTerm | undefined;

  /** Before the informers start. */
  constructor(informers: Pick<RunnerInformers, 'lister' | 'reached'>, { deployments }: Pick<Caches, 'deployments'>) {
    this.#informers = informers;
    this.#deployments = deployments;
    this.#configMaps = informers.lister(configMapKind);
    this.#secrets = informers.lister(secretKind);
    deployments.addIndex(byConfig, (deployment) => {
      if (!isConfigRollout(deployment)) return [];
      const { namespace } = metadataOf(deployment);
      const references = configReferences(deployment.spec?.template?.spec);
      return [...new Set(references.map(({ kind, name }) => `${kind} ${namespace}/${name}`))];
    });
    this.#configMaps.addIndex(byDeployment, ownerDeployment);
    this.#secrets.addIndex(byDeployment, ownerDeployment);
  }

  /** Whether the caches show all that there was when the present term began. */
  get isCurrent(): boolean {
    return this.#term !== undefined && !this.#term.signal.aborted;
  }

  /** Resolves once they do. */
  async lead(term: RunnerTerm): Promise<void> {
    try {
      await this.#informers.reached(term.revision, term.signal);
      this.#term = term;
    } catch (error) {
      if (!term.signal.aborted) throw error;
    }
  }

  of({ metadata: { namespace, uid } }: Live<Deployment>): Configuration {
    return {
      get: (kind, name) => {
        const key = { namespace, name };
        return kind === 'ConfigMap' ? configMapOf(this.#configMaps.get(key)) : secretOf(this.#secrets.get(key));
      },
      copies: [
        ...this.#configMaps.byIndex(byDeployment, uid).map(configMapOf),
        ...this.#secrets.byIndex(byDeployment, uid).map(secretOf),
      ].filter((settings) => settings !== undefined),
    };
  }

  /** The Deployments that use settings, or have made them as copies. */
  users(kind: ConfigKind, object: ConfigMap | Secret): readonly string[] {
    const metadata = metadataOf(object);
    const manager = controllerOf({ metadata });
    if (manager?.kind === deploymentKind.kind) return [`${metadata.namespace}/${manager.name}`];
    return this.#deployments.byIndex(byConfig, `${kind} ${metadata.namespace}/${metadata.name}`).map(keyOf);
  }
}

function ownerDeployment(object: KubeObject): readonly string[] {
  const manager = controllerOf({ metadata: metadataOf(object) });
  return manager?.kind === deploymentKind.kind ? [manager.uid] : [];
}

function configMapOf(object: Live<ConfigMap> | undefined): Settings | undefined {
  return object && { kind: 'ConfigMap', object };
}

function secretOf(object: Live<Secret> | undefined): Settings | undefined {
  return object && { kind: 'Secret', object };
}
