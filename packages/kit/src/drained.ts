import type { Writable } from 'node:stream';

const events = ['drain', 'close', 'error'] as const;

/** Resolves once a stream that was full can be written to again, or never will be. */
export async function drained(stream: Writable): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const heard = () => resolve();
  for (const event of events) stream.once(event, heard);
  await promise;
  for (const event of events) stream.off(event, heard);
}
