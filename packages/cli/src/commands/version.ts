import { Command, Option } from 'commander';
import { objectText } from '../print/objects.ts';
import type { Runner } from '../runner.ts';
import type { Session } from '../session.ts';
import { clientVersion } from '../version.ts';

interface VersionOptions {
  readonly client?: boolean;
  readonly output?: 'yaml' | 'json';
}

export const versionCommand = (run: Runner) =>
  new Command('version')
    .description('Show the versions of navctl and of the api')
    .option('--client', 'of navctl only')
    .addOption(new Option('-o, --output <format>').choices(['yaml', 'json']))
    .addHelpText('after', '\nExample:\n  navctl version --client')
    .action(run(version));

async function version(session: Session, { client, output }: VersionOptions): Promise<void> {
  const server = client === true ? undefined : await session.client().version();
  if (output !== undefined) {
    const serverVersion = server && {
      version: server.version,
      nodeVersion: server.nodeVersion,
      clusterId: server.clusterId,
    };
    const json = { clientVersion: { version: clientVersion }, ...(serverVersion && { serverVersion }) };
    session.print(objectText(output, json));
    return;
  }
  session.print(`Client Version: ${clientVersion}\n`);
  if (server !== undefined) session.print(`Server Version: ${server.version} (Node.js ${server.nodeVersion})\n`);
}
