/** Stands in a message for a number of eight digits. */
export const placeholder = '00000000';

/**
 * An encoded message in which only numbers change, so that a load does not spend its time on encoding. `perItem` is how
 * often the placeholder stands in each of the message's items: the items of one message get numbers that follow.
 */
export class NumberedTemplate {
  readonly #bytes: Buffer;
  readonly #offsets: readonly number[];
  readonly #perItem: number;

  constructor(bytes: Uint8Array, perItem: number) {
    this.#bytes = Buffer.from(bytes);
    this.#perItem = perItem;
    const offsets: number[] = [];
    for (let at = this.#bytes.indexOf(placeholder); at >= 0; at = this.#bytes.indexOf(placeholder, at + 8)) {
      offsets.push(at);
    }
    if (offsets.length === 0 || offsets.length % perItem !== 0)
      throw new Error('the placeholder is not where it should be');
    this.#offsets = offsets;
  }

  /** How many items a message holds. */
  get items(): number {
    return this.#offsets.length / this.#perItem;
  }

  /** The message whose first item has this number. */
  from(first: number): Buffer {
    const message = Buffer.from(this.#bytes);
    for (const [i, offset] of this.#offsets.entries()) {
      const number = first + Math.floor(i / this.#perItem);
      message.write(String(number).padStart(placeholder.length, '0'), offset, 'latin1');
    }
    return message;
  }
}
