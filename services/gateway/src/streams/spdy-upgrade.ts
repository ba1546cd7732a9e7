import type { Duplex } from 'node:stream';
import type { HttpRequest } from '../http/exchange.ts';
import { badRequest } from '../http/status.ts';

/** The header in which a client of plain SPDY offers protocols, and is told which. */
export const protocolHeader = 'x-stream-protocol-version';

/** Throws BadRequest for an upgrade to something else. */
export function checkSpdy({ headers }: HttpRequest): void {
  if ((headers.upgrade ?? '').toLowerCase() === 'spdy/3.1') return;
  throw badRequest(`unable to upgrade to "${headers.upgrade ?? ''}": WebSocket and SPDY/3.1 are known here`);
}

/** Answers the client's wish; from then on the socket speaks SPDY. */
export function acceptSpdy(socket: Duplex, head: Buffer, protocol: string): void {
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: SPDY/3.1'];
  socket.write(`${[...lines, `X-Stream-Protocol-Version: ${protocol}`].join('\r\n')}\r\n\r\n`);
  if (head.length > 0) socket.unshift(head);
}
