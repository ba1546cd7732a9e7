import { type ApiClient, createClient } from '@navarch/client';
import type { Kinds } from '@navarch/kinds';
import { CommanderError } from 'commander';
import { discoverKinds } from './discover-kinds.ts';
import { reportError } from './errors.ts';
import { buildProgram } from './program.ts';
import type { Io, Session } from './session.ts';

const defaultServer = '127.0.0.1:7400';

/** The name of everything that navctl writes, so that what one of its commands did is never in the way of another. */
const fieldManager = 'navctl';

/** Runs one command line, as in ['get', 'pods'], and gives the exit code. Never throws. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  let client: ApiClient | undefined;
  let kinds: Promise<Kinds> | undefined;
  const onWarning = (text: string) => void io.stderr.write(`Warning: ${text}\n`);
  let server = defaultServer;
  const connected = () => (client ??= createClient({ address: server, fieldManager, onWarning, program: 'navctl' }));
  const connect = (options: { server?: string; namespace?: string }): Session => {
    server = options.server ?? io.env['NAVARCH_API'] ?? defaultServer;
    return {
      io,
      server,
      namespace: options.namespace ?? 'default',
      namespaceGiven: options.namespace !== undefined,
      client: connected,
      kinds: () => (kinds ??= discoverKinds(connected())),
      print: (text) => void io.stdout.write(text),
      warn: (text) => void io.stderr.write(text),
    };
  };
  try {
    return await buildProgram(connect, io).run(args);
  } catch (error) {
    // commander has said what is wrong with the command line already.
    if (error instanceof CommanderError) return error.exitCode;
    if (io.signal.aborted) return 130;
    return reportError(error, server, (text) => void io.stderr.write(text));
  } finally {
    client?.close();
  }
}
