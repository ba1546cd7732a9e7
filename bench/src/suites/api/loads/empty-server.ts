import type { ChildContext } from '../../../frame/child.ts';
import { bytesMethod, serveUntilStopped } from './raw-server.ts';

/** A server with one method that takes bytes and answers none: what grpc-js itself can do. */
export default async function serve(_: unknown, context: ChildContext): Promise<void> {
  const nothing = Buffer.alloc(0);
  const call = (_: unknown, callback: (error: null, answer: Buffer) => void) => callback(null, nothing);
  await serveUntilStopped({ call: bytesMethod('/bench.Empty/Call') }, { call }, context);
}
