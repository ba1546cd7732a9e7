/** For tests: calls whose messages are bytes, whatever they hold. */
import { Client, credentials, type MethodDefinition, type ServiceError, status } from '@grpc/grpc-js';

const asIs = (bytes: Buffer): Buffer => bytes;

export type Method = Pick<MethodDefinition<never, never>, 'path' | 'requestStream' | 'responseStream'>;

export interface Answer {
  readonly code: status;
  readonly details: string;
}

export class RawClient {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure(), { 'grpc.max_send_message_length': -1 });
  }

  /** How the call ended; OK also for a stream that had begun to answer, which is then left. */
  call({ path, requestStream, responseStream }: Method, message: Buffer, timeoutMs = 20_000): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const deadline = Date.now() + timeoutMs;
    const ended = (error: Pick<ServiceError, 'code' | 'details'> | null) =>
      resolve(error === null ? { code: status.OK, details: '' } : { code: error.code, details: error.details });
    if (!requestStream && !responseStream) {
      this.#client.makeUnaryRequest(path, asIs, asIs, message, { deadline }, ended);
      return promise;
    }
    const talk = requestStream ? this.#client.makeBidiStreamRequest(path, asIs, asIs, { deadline }) : undefined;
    const call = talk ?? this.#client.makeServerStreamRequest(path, asIs, asIs, message, { deadline });
    call.on('error', ended);
    call.on('status', ended);
    call.on('data', () => {
      ended(null);
      call.cancel();
    });
    talk?.end(message);
    return promise;
  }

  close(): void {
    this.#client.close();
  }
}
