import { createServer, type Server, type Socket } from 'node:net';
import { UserError } from '../session.ts';

/** `localhost` stands for both of its addresses; one of them is enough. */
const localhost = ['127.0.0.1', '::1'];

export interface Listening {
  /** As `address:port`. */
  readonly addresses: readonly string[];
  close(): void;
}

/** Listens at each address. Connections come half-open: what was asked may be answered after the asking has ended. */
export async function listen(
  addresses: readonly string[],
  port: number,
  onConnection: (socket: Socket) => void,
): Promise<Listening> {
  const servers: Server[] = [];
  const close = () => {
    for (const server of servers) server.close();
  };
  let chosen = port;
  const at = async (address: string) => {
    const server = createServer({ allowHalfOpen: true }, onConnection);
    chosen = await bind(server, address, chosen);
    servers.push(server);
  };
  try {
    for (const address of addresses) {
      if (address !== 'localhost') await at(address);
      else await atLocalhost(at);
    }
  } catch (error) {
    close();
    throw error;
  }
  return { addresses: servers.map(describe), close };
}

async function atLocalhost(at: (address: string) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  for (const address of localhost) await at(address).catch((error: unknown) => failures.push(error));
  if (failures.length === localhost.length) throw failures[0];
}

function bind(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', ({ code, message }: NodeJS.ErrnoException) => {
      const why = code === 'EADDRINUSE' ? 'the port is in use' : message;
      reject(new UserError(`unable to listen on ${host} port ${port}: ${why}`));
    });
    server.listen({ host, port }, () => resolve((server.address() as { port: number }).port)); // of a TCP server
  });
}

function describe(server: Server): string {
  const { address, port } = server.address() as { address: string; port: number }; // of a TCP server
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
