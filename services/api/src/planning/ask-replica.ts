import { Client, credentials, Metadata, type MethodDefinition } from '@grpc/grpc-js';
import { grpcClientOptions, onAbort } from '@navarch/kit';
import { ApiError, fromServiceError } from '@navarch/machinery';

/** Has another replica, to which a scheduler is connected, answer a call. */
export async function askReplica<Request, Response>(
  address: string,
  { path, requestSerialize, responseDeserialize }: MethodDefinition<Request, Response>,
  request: Request,
  signal: AbortSignal,
): Promise<Response> {
  const client = new Client(address, credentials.createInsecure(), grpcClientOptions);
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  try {
    const call = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      new Metadata(),
      (error, answer) => {
        if (error) reject(fromServiceError(error));
        else if (answer === undefined) reject(new ApiError('InternalError', `${address} answered nothing`));
        else resolve(answer);
      },
    );
    using _abort = onAbort(signal, () => call.cancel());
    return await promise;
  } finally {
    client.close();
  }
}
