import type { BinaryReader } from '@bufbuild/protobuf/wire';
import { ObjectReader } from '../pipeline/shared-specs.ts';
import { readMessage } from './readable-requests.ts';

/** What a generated message has for reading it. */
interface Codec<T> {
  decode(input: BinaryReader): T;
}

/**
 * A request whose message is there only while it is looked at. It takes ten times as much memory as its bytes, and what lives
 * until a write is committed, or only until its turn comes, costs the garbage collector more than decoding it.
 */
export class EncodedRequest<T> {
  readonly #codec: Codec<T>;
  readonly #encoded: Buffer;
  #message: T | undefined;

  constructor(codec: Codec<T>, encoded: Buffer) {
    this.#codec = codec;
    this.#encoded = encoded;
  }

  /** Decoded when first asked for, and again after `forget`. Throws BadRequest when it is no such message. */
  get message(): T {
    return (this.#message ??= readMessage((encoded) => this.#codec.decode(new ObjectReader(encoded)), this.#encoded));
  }

  forget(): void {
    this.#message = undefined;
  }
}
