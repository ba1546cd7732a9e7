import { Metadata, type MethodDefinition } from '@grpc/grpc-js';
import { type Connection, type PodStreams, podStreams } from '@navarch/client';
import { forwardedAgentKey } from '@navarch/machinery';
import type { Exchange } from '../http/exchange.ts';
import { userAgentOf } from '../http/exchange.ts';
import type { Identity } from '../identity.ts';

/** Puts into a call's metadata who it is made for. */
export type IdentityMetadata = (identity: Identity, metadata: Metadata) => void;

/** What an answer is to a caller that reads it by itself. */
const asBytes = (bytes: Buffer): Buffer => bytes;

/**
 * Calls of the api in the name of those who asked the gateway. Answers come as the bytes that the api sent, for those who pass
 * them on in another form, or decoded. Whatever goes wrong is thrown as an ApiError.
 */
export class ApiCalls {
  readonly #connection: Connection;
  readonly #identityMetadata: IdentityMetadata;

  constructor(connection: Connection, identityMetadata: IdentityMetadata) {
    this.#connection = connection;
    this.#identityMetadata = identityMetadata;
  }

  /** A call that changes nothing. */
  read<Q, R>(method: MethodDefinition<Q, R>, request: Q, exchange: Exchange): Promise<Buffer> {
    return this.#connection.read(inBytes(method), request, this.#options(exchange));
  }

  /** A call that may change something: made once. */
  write<Q, R>(method: MethodDefinition<Q, R>, request: Q, exchange: Exchange): Promise<Buffer> {
    return this.#connection.unary(inBytes(method), request, this.#options(exchange));
  }

  /** The same, decoded. */
  call<Q, R>(method: MethodDefinition<Q, R>, request: Q, exchange: Exchange): Promise<R> {
    return this.#connection.unary(method, request, this.#options(exchange));
  }

  /** What the api streams, each message as it came, until `signal` aborts. */
  stream<Q, R>(
    method: MethodDefinition<Q, R>,
    request: Q,
    exchange: Exchange,
    signal: AbortSignal = exchange.signal,
  ): AsyncIterable<Buffer> {
    return this.#connection.stream(inBytes(method), request, signal, this.metadataOf(exchange));
  }

  /** What can be done with running Pods. */
  pods(exchange: Exchange): PodStreams {
    return podStreams(this.#connection, this.metadataOf(exchange));
  }

  /** What a call carries that is made for an exchange. */
  metadataOf({ request, identity }: Pick<Exchange, 'request' | 'identity'>): Metadata {
    const metadata = new Metadata();
    const agent = userAgentOf(request).replaceAll(/[^\x20-\x7e]/g, '');
    if (agent !== '') metadata.set(forwardedAgentKey, agent);
    this.#identityMetadata(identity, metadata);
    return metadata;
  }

  #options(exchange: Exchange) {
    return {
      signal: exchange.signal,
      metadata: this.metadataOf(exchange),
      onWarning: (text: string) => void exchange.warnings.add(text),
    };
  }
}

/** Only a server serializes responses, so that function is never called. */
function inBytes<Q, R>(method: MethodDefinition<Q, R>): MethodDefinition<Q, Buffer> {
  return { ...method, responseDeserialize: asBytes, responseSerialize: asBytes };
}
