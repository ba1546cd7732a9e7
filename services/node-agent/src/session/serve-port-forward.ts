import type { Duplex } from 'node:stream';
import { ForwardedConnection } from '@navarch/client';
import { ApiError, isApiError, toApiError } from '@navarch/machinery';
import type { ConnectionCredit, ConnectionData, Dial, PortForwardRequest } from '@navarch/proto';
import type { Runtime, SandboxNetwork } from '../runtime/runtime.ts';
import type { FrameStream } from './frame-stream.ts';
import type { PodAccess } from './pod-access.ts';

/** More connections at once than a browser opens; what comes beyond is refused. */
const mostConnections = 256;

/** Opens connections to the Pod's loopback and carries them, until the far side ends or the Pod's network does. */
export async function servePortForward(
  request: PortForwardRequest,
  stream: FrameStream,
  { access, runtime }: { access: PodAccess; runtime: Runtime },
): Promise<void> {
  const sandbox = await access.sandbox(request);
  const network = await runtime.network(sandbox.id);
  const isThere = async () => (await access.sandbox(request)).id === sandbox.id;
  const forward = new PortForward(stream, network, isThere);
  try {
    await stream.send({ $case: 'ready', value: true });
    await forward.run();
  } finally {
    forward.close();
    network.close();
  }
}

class PortForward {
  readonly #stream: FrameStream;
  readonly #network: SandboxNetwork;
  readonly #isThere: () => Promise<boolean>;
  /** Undefined while a connection is dialed. */
  readonly #connections = new Map<number, ForwardedConnection | undefined>();
  readonly #lost = Promise.withResolvers<never>();

  constructor(stream: FrameStream, network: SandboxNetwork, isThere: () => Promise<boolean>) {
    this.#stream = stream;
    this.#network = network;
    this.#isThere = isThere;
    this.#lost.promise.catch(() => undefined);
  }

  async run(): Promise<void> {
    await Promise.race([this.#frames(), this.#lost.promise]);
  }

  close(): void {
    for (const connection of this.#connections.values()) connection?.destroy();
  }

  async #frames(): Promise<void> {
    for await (const frame of this.#stream.frames) {
      switch (frame.$case) {
        case 'dial':
          void this.#dial(frame.value);
          break;
        case 'data':
          this.#data(frame.value);
          break;
        case 'dataEnd':
          this.#connections.get(frame.value)?.end();
          break;
        case 'credit':
          this.#credit(frame.value);
          break;
        case 'closed':
          this.#connections.get(frame.value.connection)?.over(frame.value.error);
          break;
        default:
          throw new ApiError('BadRequest', `a frame "${frame.$case}" has no place in a port-forward`);
      }
    }
  }

  /** Never rejects: what goes wrong is told to the far side. */
  async #dial({ connection: id, port }: Dial): Promise<void> {
    try {
      const socket = await this.#connect(id, port);
      const connection = new ForwardedConnection(id, socket, (frame) => this.#stream.send(frame));
      this.#connections.set(id, connection);
      await this.#stream.send({ $case: 'connected', value: id });
      // What breaks the socket is told with its end.
      await connection.carry().catch(() => undefined);
    } catch (error) {
      await this.#stream.send({ $case: 'closed', value: { connection: id, error: toApiError(error).message } });
    } finally {
      this.#connections.delete(id);
    }
  }

  /** When it fails because the Pod's network is gone, nothing can be forwarded any more. */
  async #connect(id: number, port: number): Promise<Duplex> {
    if (this.#connections.has(id)) throw new ApiError('BadRequest', `connection ${id} is open already`);
    if (this.#connections.size >= mostConnections) {
      throw new ApiError('TooManyRequests', `more than ${mostConnections} connections at once`);
    }
    this.#connections.set(id, undefined);
    if (port < 1 || port > 65_535) throw new ApiError('BadRequest', `${port} is no port`);
    try {
      return await this.#network.dial(port);
    } catch (error) {
      const gone = await this.#isThere().then(
        (there) =>
          there ? undefined : new ApiError('Unavailable', 'the Pod has another network than before: connect again'),
        (why: unknown) => (isApiError(why) ? why : undefined),
      );
      if (gone !== undefined) this.#lost.reject(gone);
      throw error;
    }
  }

  #data({ connection, data }: ConnectionData): void {
    this.#connections.get(connection)?.write(data);
  }

  #credit({ connection, bytes }: ConnectionCredit): void {
    this.#connections.get(connection)?.allow(bytes);
  }
}
