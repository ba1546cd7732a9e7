import type { SendHandle } from 'node:child_process';
import type { DialAnswer, DialQuestion } from './network-dialer.ts';
import { dialLoopback } from './dial-loopback.ts';

// The program that `NetworkDialer` starts in a Pod's network namespace. It ends with the agent, or when it is let go.

const send = (answer: DialAnswer, handle?: SendHandle) =>
  process.send?.(answer, handle, {}, (error) => {
    if (error !== null) process.exit(1);
  });

process.on('message', ({ id, port }: DialQuestion) => {
  dialLoopback(port).then(
    (socket) => send({ id }, socket),
    (error: Error) => send({ id, error: error.message }),
  );
});
process.on('disconnect', () => process.exit(0));
