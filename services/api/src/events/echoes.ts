/** So many keys are waited for at once. An echo that never comes was replaced in the stream before it was read. */
const maxKeys = 4096;

/**
 * The stream's messages that this replica has written itself and that have not come back yet. An older one that comes back is
 * no news, and must not undo what was written since.
 */
export class Echoes {
  /** By key, in the order of writing. */
  readonly #expected = new Map<string, Uint8Array[]>();

  expect(key: string, payload: Uint8Array): void {
    const expected = this.#expected.get(key) ?? [];
    this.#expected.delete(key);
    this.#expected.set(key, [...expected, payload]);
    const [oldest] = this.#expected.keys();
    if (this.#expected.size > maxKeys && oldest !== undefined) this.#expected.delete(oldest);
  }

  /** It did not get into the stream, or it is not known whether it did. */
  forget(key: string, payload: Uint8Array): void {
    this.#keep(
      key,
      (this.#expected.get(key) ?? []).filter((each) => each !== payload),
    );
  }

  /** Takes note of a message of the stream. True when this replica wrote it and has written something newer since. */
  isStale(key: string, payload: Uint8Array): boolean {
    const expected = this.#expected.get(key) ?? [];
    const index = expected.findIndex((each) => Buffer.compare(each, payload) === 0);
    if (index < 0) return false;
    this.#keep(key, expected.slice(index + 1));
    return index < expected.length - 1;
  }

  #keep(key: string, expected: Uint8Array[]): void {
    if (expected.length === 0) this.#expected.delete(key);
    else this.#expected.set(key, expected);
  }
}
