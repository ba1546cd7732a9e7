import { request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { ApiError } from '@navarch/machinery';
import { SpdyConnection, type SpdyStream } from '@navarch/spdy';
import type { Attached, AttachOptions } from './runtime.ts';

const connectMs = 10_000;
/** The remote command protocol whose error stream carries a Status, and which has resizing. */
const protocol = 'v4.channel.k8s.io';

/**
 * Attaches over the streaming server of the runtime, at the address that CRI's Attach answered: one upgrade to SPDY, and a
 * stream each for errors, input, output, error output and sizes of the terminal. The address is good for one connection.
 * Source: kubernetes staging/src/k8s.io/kubelet/pkg/cri/streaming/remotecommand.
 */
export async function attachAt(url: string, { stdin, tty }: AttachOptions): Promise<Attached> {
  const connection = new SpdyConnection(await upgrade(url), { role: 'client' });
  try {
    const open = (streamType: string) => connection.open({ streamType });
    // All are asked for at once: the server answers when it has them all.
    const [errors, input, output, errorOutput, sizes] = await Promise.all([
      open('error'),
      stdin ? open('stdin') : undefined,
      open('stdout'),
      tty ? undefined : open('stderr'),
      tty ? open('resize') : undefined,
    ]);
    errors.resume().end();
    for (const stream of [output, errorOutput]) stream?.end();
    sizes?.resume();
    input?.resume();
    return {
      stdin: input,
      stdout: output,
      stderr: errorOutput,
      resize: (columns, rows) => writeSize(sizes, columns, rows),
      close: () => connection.close(),
    };
  } catch (error) {
    connection.destroy();
    throw new ApiError('InternalError', `the runtime did not attach: ${(error as Error).message}`, { cause: error });
  }
}

async function writeSize(sizes: SpdyStream | undefined, columns: number, rows: number): Promise<void> {
  if (sizes === undefined || !sizes.writable) return;
  await new Promise<void>((resolve) => sizes.write(JSON.stringify({ Width: columns, Height: rows }), () => resolve()));
}

function upgrade(url: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown) =>
      reject(new ApiError('Unavailable', `the runtime's streaming server ${why}`, { cause }));
    const request = httpRequest(url, {
      method: 'POST',
      headers: { Connection: 'Upgrade', Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': protocol },
      timeout: connectMs,
    });
    request.on('upgrade', (_response, socket, head) => {
      socket.setTimeout(0);
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.on('response', (response) => {
      response.destroy();
      fail(`refused with HTTP status ${response.statusCode ?? 0}`);
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${connectMs} ms`)));
    request.on('error', (error) => fail(`can't be reached: ${error.message}`, error));
    request.end();
  });
}
