import type { Client } from '@navarch/client';
import { configMap, secret } from '@navarch/kinds';
import { isApiError, type KubeObject } from '@navarch/machinery';
import type { KindDefinition } from '@navarch/kinds';

/** A ConfigMap's or Secret's keys, as bytes. */
export type ConfigData = ReadonlyMap<string, Uint8Array>;

/** Where a Pod's settings come from. Undefined when there is no such object. */
export interface ConfigSource {
  configMap(namespace: string, name: string): Promise<ConfigData | undefined>;
  secret(namespace: string, name: string): Promise<ConfigData | undefined>;
}

/**
 * Asks the api each time. A node needs few of a cluster's ConfigMaps and Secrets, and must not hold the others, so they are
 * not cached as Pods and Services are.
 */
export class ApiConfigSource implements ConfigSource {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  async configMap(namespace: string, name: string): Promise<ConfigData | undefined> {
    const object = await this.#get(configMap, namespace, name);
    if (!object) return undefined;
    const texts = Object.entries(object.data).map(([key, value]) => [key, Buffer.from(value)] as const);
    return new Map([...texts, ...Object.entries(object.binaryData)]);
  }

  async secret(namespace: string, name: string): Promise<ConfigData | undefined> {
    const object = await this.#get(secret, namespace, name);
    return object && new Map(Object.entries(object.data));
  }

  async #get<T extends KubeObject>(kind: KindDefinition<T>, namespace: string, name: string) {
    try {
      return await this.#client.get(kind, { namespace, name });
    } catch (error) {
      if (isApiError(error, 'NotFound')) return undefined;
      throw error;
    }
  }
}
