import { connect, type Socket } from 'node:net';

const dialMs = 10_000;
const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ETIMEDOUT: 'no answer',
  EADDRNOTAVAIL: 'the address is not there',
};

/**
 * Connects to what listens on this network's loopback: at 127.0.0.1, else at ::1. The socket comes paused, so that nothing of
 * what it has to say is read before its owner does. Rejects with an Error that says why.
 */
export async function dialLoopback(port: number): Promise<Socket> {
  try {
    return await dial('127.0.0.1', port);
  } catch (error) {
    const other = await dial('::1', port).catch(() => undefined);
    if (other !== undefined) return other;
    throw error;
  }
}

function dial(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true });
    socket.pause();
    const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${dialMs} ms`)), dialMs);
    const done = () => {
      clearTimeout(timer);
      socket.off('error', failed);
    };
    const failed = (error: NodeJS.ErrnoException) => {
      done();
      const why = words[error.code ?? ''] ?? error.message;
      reject(new Error(`port ${port} of the Pod: ${why}`, { cause: error }));
    };
    socket.once('error', failed);
    socket.once('connect', () => {
      done();
      resolve(socket);
    });
  });
}
