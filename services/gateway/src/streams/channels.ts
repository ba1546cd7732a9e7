import type { ExecInput } from '@navarch/client';
import type { WebSocket } from 'ws';
import type { Status } from '../http/status.ts';
import { type CommandStreams, readSize } from './command-streams.ts';
import { closeWebSocket, messagesOf, sendMessage } from './web-socket.ts';

/**
 * The remote command protocol over a WebSocket: the first byte of each message is its channel. v5 can end a channel besides.
 * Source: kubernetes staging/src/k8s.io/apimachinery/pkg/util/remotecommand/constants.go.
 */
export const channelProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const;

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** What a client's message means; undefined for what means nothing here. */
export function readChannel(message: Buffer): ExecInput | undefined {
  const [channel] = message;
  const data = message.subarray(1);
  if (channel === channels.stdin) return data.length === 0 ? undefined : { type: 'stdin', data };
  if (channel === channels.resize) return readSize(data.toString());
  if (channel === channels.close && data[0] === channels.stdin) return { type: 'end' };
  return undefined;
}

export class ChannelStreams implements CommandStreams {
  readonly input: AsyncIterable<ExecInput>;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.input = inputOf(socket);
  }

  write(name: 'stdout' | 'stderr', data: Uint8Array): Promise<void> {
    return sendMessage(this.#socket, onChannel(channels[name], data));
  }

  async finish(status: Status): Promise<void> {
    await sendMessage(this.#socket, onChannel(channels.error, Buffer.from(JSON.stringify(status)))).catch(
      () => undefined,
    );
    await closeWebSocket(this.#socket);
  }
}

async function* inputOf(socket: WebSocket): AsyncGenerator<ExecInput, void, void> {
  for await (const message of messagesOf(socket)) {
    const input = readChannel(message);
    if (input !== undefined) yield input;
  }
}

export function onChannel(channel: number, data: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([channel]), data]);
}
