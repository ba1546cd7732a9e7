import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Whose data a directory holds. Another claim that is made under the same name has another uid. */
export interface ClaimIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

const identityFile = 'claim.json';
const removedSuffix = '.removed';

/**
 * The storage of claims on this node: `<root>/<uid>/data`, and `claim.json` beside it, which says whose it is. Nobody but
 * root gets past `<root>`; whoever has the data mounted may write to it.
 */
export class ClaimDirectories {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Where the claim's data is; undefined when it is not on this node. */
  async find(uid: string): Promise<string | undefined> {
    const path = join(this.#root, uid, 'data');
    return stat(path).then(
      () => path,
      () => undefined,
    );
  }

  /** Makes the claim's directory, empty. */
  async make(claim: ClaimIdentity): Promise<string> {
    const { namespace, name, uid } = claim;
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    await mkdir(join(this.#root, uid), { recursive: true, mode: 0o700 });
    // First of all: what nobody can tell the owner of could never be removed.
    await writeFile(join(this.#root, uid, identityFile), JSON.stringify({ namespace, name, uid }));
    const path = join(this.#root, uid, 'data');
    await mkdir(path, { recursive: true });
    await chmod(path, 0o777); // mkdir's mode passes through the umask
    return path;
  }

  /** Whose data is here. */
  async list(): Promise<readonly ClaimIdentity[]> {
    const found: ClaimIdentity[] = [];
    for (const entry of await this.#entries()) {
      if (entry.endsWith(removedSuffix)) continue;
      const text = await readFile(join(this.#root, entry, identityFile), 'utf8').catch(() => undefined);
      // Written by `make`; what is cut off by a crash is made anew when the claim is mounted.
      const identity = text === undefined || text === '' ? undefined : (JSON.parse(text) as ClaimIdentity);
      if (identity?.uid === entry) found.push(identity);
    }
    return found;
  }

  /** Removes a claim's data for good. After a crash in between, `finishRemovals` does the rest. */
  async remove(uid: string): Promise<void> {
    await rename(join(this.#root, uid), join(this.#root, `${uid}${removedSuffix}`));
    await this.finishRemovals();
  }

  async finishRemovals(): Promise<void> {
    for (const entry of await this.#entries()) {
      if (entry.endsWith(removedSuffix)) await rm(join(this.#root, entry), { recursive: true, force: true });
    }
  }

  async #entries(): Promise<readonly string[]> {
    return readdir(this.#root).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw error;
    });
  }
}
