import type { Duplex } from 'node:stream';
import type { ExecSession, PodStreams } from '@navarch/client';
import { pod } from '@navarch/kinds';
import type { ApiCalls } from '../api/api-calls.ts';
import type { HttpRequest } from '../http/exchange.ts';
import { badRequest } from '../http/status.ts';
import { flag } from '../resources/query.ts';
import type { ResourceRequest } from '../resources/resource-request.ts';
import type { Subresource } from '../subresources/subresource.ts';
import { carryCommand } from './carry-command.ts';
import { channelProtocols, ChannelStreams } from './channels.ts';
import type { CommandStreams, WantedStreams } from './command-streams.ts';
import { acceptSpdy, checkSpdy, protocolHeader } from './spdy-upgrade.ts';
import { commandProtocols, spdyCommand } from './spdy-command.ts';
import { acceptWebSocket, chooseProtocol, isWebSocket } from './web-socket.ts';

type Start = (pods: PodStreams, asked: Asked, signal: AbortSignal) => Promise<ExecSession>;

interface Asked extends WantedStreams {
  readonly namespace: string;
  readonly name: string;
  readonly container: string;
  readonly command: string[];
}

/** exec runs a program in a container, attach connects to the container's own. */
export function commandSubresources(api: ApiCalls): readonly Subresource[] {
  return [
    commandSubresource(api, 'exec', true, (pods, { namespace, name, container, command, stdin, tty }, signal) => {
      if (command.length === 0) throw badRequest('you must specify at least 1 command for the container');
      return pods.exec({ namespace, name, container, command, stdin, tty }, signal);
    }),
    commandSubresource(api, 'attach', false, (pods, { namespace, name, container, stdin, tty }, signal) =>
      pods.attach({ namespace, name, container, stdin, tty }, signal),
    ),
  ];
}

/** The program runs before the client is answered: what is wrong is told as a Status with its HTTP code. */
function commandSubresource(api: ApiCalls, name: string, tellsExit: boolean, start: Start): Subresource {
  return {
    name,
    has: (kind) => kind === pod,
    verbs: {},
    upgradeVerbs: ['get', 'create'],
    upgrade: async (request, socket, head) => {
      const { exchange } = request;
      const asked = askedOf(request);
      const accept = accepting(exchange.request, socket, head);
      const hangUp = new AbortController();
      const signal = AbortSignal.any([exchange.signal, hangUp.signal]);
      try {
        const program = await start(api.pods(exchange), asked, signal);
        await carryCommand(program, await accept(asked, signal), asked, tellsExit);
      } finally {
        hangUp.abort();
      }
    },
  };
}

/** How the client will be answered. Throws BadRequest at once when it speaks nothing that is known here. */
function accepting(request: HttpRequest, socket: Duplex, head: Buffer) {
  if (isWebSocket(request)) {
    const protocol = chooseProtocol(request, 'sec-websocket-protocol', channelProtocols);
    return async (): Promise<CommandStreams> =>
      new ChannelStreams(await acceptWebSocket(request, socket, head, protocol));
  }
  checkSpdy(request);
  const protocol = chooseProtocol(request, protocolHeader, commandProtocols);
  return async (wanted: WantedStreams, signal: AbortSignal): Promise<CommandStreams> => {
    acceptSpdy(socket, head, protocol);
    return await spdyCommand(socket, wanted, signal);
  };
}

/** Source: the API reference, PodExecOptions and PodAttachOptions. */
function askedOf({ exchange: { query }, target: { namespace, name } }: ResourceRequest): Asked {
  const tty = flag(query, 'tty');
  const streams = { stdin: flag(query, 'stdin'), stdout: flag(query, 'stdout'), stderr: flag(query, 'stderr') && !tty };
  if (!streams.stdin && !streams.stdout && !streams.stderr) {
    throw badRequest('you must specify at least one of stdin, stdout, stderr');
  }
  return {
    namespace,
    name,
    container: query.get('container') ?? '',
    command: query.getAll('command'),
    tty,
    ...streams,
  };
}
