import type { ServerDuplexStream, ServiceDefinition } from '@grpc/grpc-js';
import { readMessage } from '../grpc/readable-requests.ts';
import { NodeSessionsService, PodsService, StreamFrame } from '@navarch/proto';

/** Frames pass through the api as the bytes they came in: only the first of each stream is looked at. */
const asIs = (encoded: Buffer): Buffer => encoded;
const frames = {
  requestDeserialize: asIs,
  responseSerialize: asIs,
};

export const framedPodsService: ServiceDefinition = {
  logs: { ...PodsService.logs, responseSerialize: asIs },
  exec: { ...PodsService.exec, ...frames },
  attach: { ...PodsService.attach, ...frames },
  portForward: { ...PodsService.portForward, ...frames },
};

export const framedSessionsService: ServiceDefinition = {
  connect: NodeSessionsService.connect,
  serve: { ...NodeSessionsService.serve, ...frames },
};

/** Both directions of a stream of encoded frames. */
export type FrameStream = ServerDuplexStream<Buffer, Buffer>;

export function encodeFrame(frame: NonNullable<StreamFrame['frame']>): Buffer {
  return Buffer.from(StreamFrame.encode({ frame }).finish());
}

/** Throws BadRequest when it is no frame. */
export function decodeFrame(encoded: Buffer): StreamFrame['frame'] {
  return readMessage((bytes) => StreamFrame.decode(bytes), encoded).frame;
}
