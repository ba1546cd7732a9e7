import type { Duplex } from 'node:stream';
import type { PortForward } from '@navarch/client';
import { pod } from '@navarch/kinds';
import { SpdyConnection } from '@navarch/spdy';
import { createWebSocketStream } from 'ws';
import type { ApiCalls } from '../api/api-calls.ts';
import type { Exchange } from '../http/exchange.ts';
import { badRequest } from '../http/status.ts';
import type { Subresource } from '../subresources/subresource.ts';
import { PortChannels, portChannelProtocol } from './port-channels.ts';
import { StreamPairs } from './stream-pairs.ts';
import { acceptSpdy, checkSpdy, protocolHeader } from './spdy-upgrade.ts';
import { acceptWebSocket, chooseProtocol, isWebSocket } from './web-socket.ts';

const spdyProtocol = 'portforward.k8s.io';
/** SPDY within the messages of a WebSocket. Source: KEP-4006. */
const tunnelProtocol = `SPDY/3.1+${spdyProtocol}`;

/** Connections to the ports of a Pod, in the three ways that clients ask for them. */
export function portForwardSubresource(api: ApiCalls): Subresource {
  return {
    name: 'portforward',
    has: (kind) => kind === pod,
    verbs: {},
    upgradeVerbs: ['get', 'create'],
    upgrade: async ({ exchange, target: { namespace, name } }, socket, head) => {
      const accept = accepting(exchange, socket, head);
      const forward = await api.pods(exchange).portForward({ namespace, name }, exchange.signal);
      try {
        await accept(forward);
      } finally {
        forward.close();
      }
    },
  };
}

/** Each resolves once the client has gone, or the Pod has. */
function accepting(
  { request, query }: Exchange,
  socket: Duplex,
  head: Buffer,
): (forward: PortForward) => Promise<void> {
  if (!isWebSocket(request)) {
    checkSpdy(request);
    const protocol = chooseProtocol(request, protocolHeader, [spdyProtocol]);
    return async (forward) => {
      acceptSpdy(socket, head, protocol);
      await carryPairs(socket, forward);
    };
  }
  const protocol = chooseProtocol(request, 'sec-websocket-protocol', [tunnelProtocol, portChannelProtocol]);
  if (protocol === tunnelProtocol) {
    return async (forward) => {
      const webSocket = await acceptWebSocket(request, socket, head, protocol);
      await carryPairs(createWebSocketStream(webSocket, { readableObjectMode: false }), forward);
    };
  }
  const ports = readPorts(query);
  return async (forward) => {
    const channels = new PortChannels(await acceptWebSocket(request, socket, head, protocol), ports);
    await channels.carry(forward);
  };
}

async function carryPairs(transport: Duplex, forward: PortForward): Promise<void> {
  const pairs = new StreamPairs(forward);
  const connection = new SpdyConnection(transport, { role: 'server', onStream: (stream) => pairs.add(stream) });
  // Without the Pod there is nothing to forward to: the client is to see that at once.
  forward.ended.then(
    () => connection.close(),
    () => connection.close(),
  );
  await connection.closed;
}

function readPorts(query: URLSearchParams): readonly number[] {
  const ports = query
    .getAll('ports')
    .flatMap((text) => text.split(','))
    .map(Number);
  const wrong = ports.find((port) => !Number.isInteger(port) || port < 1 || port > 65_535);
  if (ports.length === 0 || wrong !== undefined) throw badRequest('ports must name at least one port, from 1 to 65535');
  return ports;
}
