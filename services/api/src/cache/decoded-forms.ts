/** What can be told to drop its decoded form. */
interface Holder {
  forget(): void;
}

/** Bounds how much is kept decoded: of those that were decoded, the ones that were so longest ago forget it. */
export class DecodedForms<T extends Holder> {
  readonly #maxBytes: number;
  #holders: { readonly holder: T; readonly bytes: number }[] = [];
  #head = 0;
  #bytes = 0;

  /** `maxBytes` of encoded forms, which is what is known of their size. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** `holder` has its decoded form from now on, until it is told to forget it. */
  keep(holder: T, bytes: number): void {
    this.#holders.push({ holder, bytes });
    this.#bytes += bytes;
    // The newest stays, however large: somebody is looking at it.
    while (this.#bytes > this.#maxBytes && this.#head < this.#holders.length - 1) {
      const oldest = this.#holders[this.#head++];
      if (oldest === undefined) break;
      this.#bytes -= oldest.bytes;
      oldest.holder.forget();
    }
    if (this.#head >= 1024 && this.#head * 2 >= this.#holders.length) {
      this.#holders = this.#holders.slice(this.#head);
      this.#head = 0;
    }
  }
}
