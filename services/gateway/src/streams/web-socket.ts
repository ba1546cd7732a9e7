import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { HttpRequest } from '../http/exchange.ts';
import { badRequest } from '../http/status.ts';

/** More than any client puts into one message; what is under way is held at most once. */
const maxMessageBytes = 8 * 1024 * 1024;

export function isWebSocket({ headers }: HttpRequest): boolean {
  return (headers.upgrade ?? '').toLowerCase() === 'websocket';
}

/** The first of `known` that the client offers. Throws BadRequest when there is none. */
export function chooseProtocol(request: HttpRequest, header: string, known: readonly string[]): string {
  const offered = String(request.headers[header] ?? '')
    .split(',')
    .map((each) => each.trim());
  const chosen = known.find((each) => offered.includes(each));
  if (chosen !== undefined) return chosen;
  throw badRequest(
    `unable to upgrade: ${header} offers ${offered.join(', ') || 'nothing'}; known are ${known.join(', ')}`,
  );
}

/** Answers the client's wish, with the subprotocol. */
export async function acceptWebSocket(
  request: HttpRequest,
  socket: Duplex,
  head: Buffer,
  protocol: string,
): Promise<WebSocket> {
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    clientTracking: false,
    handleProtocols: () => protocol,
  });
  const { promise, resolve, reject } = Promise.withResolvers<WebSocket>();
  server.once('wsClientError', (error) => reject(badRequest(`unable to upgrade: ${error.message}`)));
  server.handleUpgrade(request, socket, head, resolve);
  return await promise;
}

/** Resolves once the message was handed to the network: so does back-pressure reach who sends. */
export function sendMessage(socket: WebSocket, data: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) =>
    socket.send(data, { binary: true }, (error) => (error ? reject(error) : resolve())),
  );
}

/** Messages one after another; none is read before the one before it was taken. Ends with the connection. */
export async function* messagesOf(socket: WebSocket): AsyncGenerator<Buffer, void, void> {
  const waiting: Buffer[] = [];
  let wake = () => {};
  let ended = false;
  socket.on('message', (data) => {
    socket.pause();
    waiting.push(data as Buffer); // with the default binaryType
    wake();
  });
  socket.on('close', () => {
    ended = true;
    wake();
  });
  socket.on('error', () => {}); // followed by close
  for (;;) {
    const message = waiting.shift();
    if (message !== undefined) yield message;
    else if (ended || socket.readyState > socket.OPEN) return;
    else {
      socket.resume();
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }
}

/** Closes in good order; a client that does not answer is left. */
export async function closeWebSocket(socket: WebSocket, code = 1000): Promise<void> {
  if (socket.readyState === socket.CLOSED) return;
  const closed = once(socket, 'close');
  socket.resume();
  socket.close(code);
  await closed;
}
