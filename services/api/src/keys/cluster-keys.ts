import { ApiError } from '@navarch/machinery';
import type { Store } from '@navarch/store';

/** Not an object: outside the prefix that the watch cache reads, so that no request can read or write it. */
const storeKey = '/navarch-cluster/keys';

/** What the cluster proves itself with, as it is stored. All of `privateKey` is secret. */
export interface ClusterKeys {
  readonly authority: {
    /** PEM. */
    readonly certificate: string;
    /** PKCS #8, DER, base64. */
    readonly privateKey: string;
  };
  /** The newest first: it signs, and all of them verify. */
  readonly tokens: readonly TokenKey[];
}

export interface TokenKey {
  /** RFC 7638's thumbprint. */
  readonly id: string;
  /** PKCS #8, PEM. */
  readonly privateKey: string;
  /** A JSON Web Key. */
  readonly publicKey: Readonly<Record<string, unknown>>;
}

/**
 * The keys of the cluster: made once, by the first replica that needs them, and the same for all. Who reads the store, a
 * snapshot of it included, has them.
 */
export class KeyStore {
  readonly #store: Store;
  readonly #make: () => Promise<ClusterKeys>;
  #known: ClusterKeys | undefined;

  constructor(store: Store, make: () => Promise<ClusterKeys>) {
    this.#store = store;
    this.#make = make;
  }

  async read(signal: AbortSignal): Promise<ClusterKeys> {
    return (this.#known ??= await this.#readOrMake(signal));
  }

  async #readOrMake(signal: AbortSignal): Promise<ClusterKeys> {
    const store = this.#store;
    for (let attempt = 0; attempt < 3; attempt++) {
      const entry = await store.get(storeKey, { signal });
      if (entry !== undefined) return JSON.parse(Buffer.from(entry.value).toString('utf8')) as ClusterKeys; // only written here
      const value = Buffer.from(JSON.stringify(await this.#make()), 'utf8');
      // Of replicas that make them at once, the first one's count: the others read them.
      await store.commit(
        { compare: [{ key: storeKey, modRevision: 0n }], ops: [{ type: 'put', key: storeKey, value }] },
        signal,
      );
    }
    throw new ApiError('Unavailable', 'the keys of the cluster could not be read or made; try again');
  }
}
