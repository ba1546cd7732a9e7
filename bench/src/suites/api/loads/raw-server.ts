import { Server, ServerCredentials, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { grpcServerOptions } from '@navarch/kit';
import type { ChildContext } from '../../../frame/child.ts';

const asIs = (bytes: Buffer) => bytes;

/** A unary method that takes and gives bytes. */
export function bytesMethod(path: string) {
  return {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
}

/** Serves until it is told to stop; ready with its port. */
export async function serveUntilStopped(
  methods: Readonly<Record<string, ReturnType<typeof bytesMethod>>>,
  answers: UntypedServiceImplementation,
  { ready, stopped }: ChildContext,
  options: object = {},
): Promise<void> {
  const server = new Server({ ...grpcServerOptions, ...options });
  server.addService(methods, answers);
  const bound = Promise.withResolvers<number>();
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
    error ? bound.reject(error) : bound.resolve(port),
  );
  ready(await bound.promise);
  await new Promise((resolve) => stopped.addEventListener('abort', resolve));
  server.forceShutdown();
}
