import type { Readable, Writable } from 'node:stream';

/** Passes messages on as fast as the other side takes them. Undo to stop. */
export function pump(from: Readable, to: Writable): Disposable {
  const onData = (message: Buffer) => {
    if (!to.write(message)) from.pause();
  };
  const onDrain = () => void from.resume();
  from.on('data', onData);
  to.on('drain', onDrain);
  from.resume();
  return {
    [Symbol.dispose]: () => {
      from.off('data', onData);
      to.off('drain', onDrain);
    },
  };
}
