import { Client, type ClientDuplexStream, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { grpcClientOptions, onAbort } from '@navarch/kit';
import { ApiError, fromServiceError } from '@navarch/machinery';
import { PodsService } from '@navarch/proto';
import { encodeFrame } from './frames.ts';
import { type ClientCall, isDuplex, type PodRequest, pump } from './pump.ts';

/** Marks a call that another replica passes on: it is not passed on again. */
const carriedKey = 'navarch-carried';
const asIs = (encoded: Buffer): Buffer => encoded;

export function isCarried(call: ClientCall): boolean {
  return call.metadata.get(carriedKey).length > 0;
}

/** Has another replica, which holds the node's session, answer a call, and passes its frames on. */
export async function carryToReplica(
  address: string,
  call: ClientCall,
  request: PodRequest,
  nodeName: string,
  signal: AbortSignal,
): Promise<void> {
  const client = new Client(address, credentials.createInsecure(), grpcClientOptions);
  try {
    const remote = open(client, call, request);
    const ended = Promise.withResolvers<void>();
    using _abort = onAbort(signal, () => {
      remote.cancel();
      ended.reject(signal.reason);
    });
    remote.on('end', () => ended.resolve());
    remote.on('error', (error: ServiceError) => ended.reject(replicaError(error, nodeName)));
    using _output = pump(remote, call);
    await ended.promise;
  } finally {
    client.close();
  }
}

function open(client: Client, call: ClientCall, request: PodRequest) {
  const metadata = new Metadata();
  metadata.set(carriedKey, '1');
  if (request.$case === 'logs') {
    const { path, requestSerialize } = PodsService.logs;
    return client.makeServerStreamRequest(path, requestSerialize, asIs, request.value, metadata);
  }
  const remote: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(
    PodsService[request.$case].path,
    asIs,
    asIs,
    metadata,
  );
  remote.write(encodeFrame(request));
  if (isDuplex(call)) pump(call, remote);
  return remote;
}

/** That replica may be gone, and its entry left behind. */
function replicaError(error: ServiceError, nodeName: string): ApiError {
  if (error.code !== status.UNAVAILABLE) return fromServiceError(error);
  return new ApiError(
    'Unavailable',
    `node "${nodeName}" is not connected: its node-agent is down, or on its way back`,
    {
      cause: error,
    },
  );
}
