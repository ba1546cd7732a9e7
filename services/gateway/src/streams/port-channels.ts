import { drained } from '@navarch/kit';
import { Duplex } from 'node:stream';
import type { PortForward } from '@navarch/client';
import type { WebSocket } from 'ws';
import { onChannel } from './channels.ts';
import { closeWebSocket, messagesOf, sendMessage } from './web-socket.ts';

/** One connection for each port that the request names, each on a channel for data and one for what went wrong. */
export const portChannelProtocol = 'v4.channel.k8s.io';

/** Source: kubernetes staging/src/k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go. */
export class PortChannels {
  readonly #socket: WebSocket;
  readonly #ports: readonly number[];

  constructor(socket: WebSocket, ports: readonly number[]) {
    this.#socket = socket;
    this.#ports = ports;
  }

  /** Until the client goes, or all connections have ended. */
  async carry(forward: PortForward): Promise<void> {
    const ends = this.#ports.map((port, index) => this.#open(forward, port, index * 2));
    const all = Promise.all(ends.map(({ ended }) => ended)).then(() => closeWebSocket(this.#socket));
    for await (const message of messagesOf(this.#socket)) {
      const end = ends[(message[0] ?? 0) / 2]?.local;
      if (end?.writable && !end.write(message.subarray(1))) await drained(end);
    }
    for (const { local } of ends) local.destroy();
    await all;
  }

  #open(forward: PortForward, port: number, channel: number) {
    const number = Buffer.alloc(2);
    number.writeUInt16LE(port);
    const send = (to: number, data: Uint8Array) => sendMessage(this.#socket, onChannel(to, data));
    const [near, far] = pipe((data) => send(channel, data));
    const ended = (async () => {
      // Each channel begins with its port.
      await send(channel, number);
      await send(channel + 1, number);
      await forward.carry(far, port);
    })().catch((error: Error) => send(channel + 1, Buffer.from(error.message)).catch(() => undefined));
    return { local: near, ended };
  }
}

/** What is written to the first end is read from the second, and what is written to the second goes to `out`. */
function pipe(out: (data: Buffer) => Promise<void>): [Duplex, Duplex] {
  let taken = () => {};
  const far = new Duplex({
    read: () => taken(),
    write: (data: Buffer, _encoding, done) => void out(data).then(() => done(), done),
    final: (done) => {
      // The channels can't be ended one by one.
      far.push(null);
      done();
    },
  });
  const near = new Duplex({
    read: () => {},
    write: (data: Buffer, _encoding, done) => {
      taken = () => {};
      if (far.destroyed || far.push(data)) done();
      else taken = () => done();
    },
    destroy: (error, done) => {
      far.destroy();
      done(error);
    },
  });
  far.on('close', () => taken());
  return [near, far];
}
