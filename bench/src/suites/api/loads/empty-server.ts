import { Server, ServerCredentials } from '@grpc/grpc-js';
import { grpcServerOptions } from '@navarch/kit';
import type { ChildContext } from '../../../frame/child.ts';

/** A server with one method that takes bytes and answers none: what grpc-js itself can do. */
export default async function serve(_: unknown, { ready, stopped }: ChildContext): Promise<void> {
  const server = new Server(grpcServerOptions);
  const asIs = (bytes: Buffer) => bytes;
  const call = {
    path: '/bench.Empty/Call',
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  const nothing = Buffer.alloc(0);
  server.addService(
    { call },
    { call: (_: unknown, callback: (error: null, answer: Buffer) => void) => callback(null, nothing) },
  );
  const bound = Promise.withResolvers<number>();
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
    error ? bound.reject(error) : bound.resolve(port),
  );
  ready(await bound.promise);
  await new Promise((resolve) => stopped.addEventListener('abort', resolve));
  server.forceShutdown();
}
