import { age, formatTable, humanSize, type JsonObject } from '@navarch/machinery';
import { GetStorageResponse } from '@navarch/proto';
import { Command, Option } from 'commander';
import { objectText } from '../print/objects.ts';
import type { Runner } from '../runner.ts';
import type { Session } from '../session.ts';

interface StorageOptions {
  readonly output?: 'yaml' | 'json';
}

export const storageCommand = (run: Runner) =>
  new Command('storage')
    .description('Show how much room the cluster has to keep its objects, and what is done about it')
    .addOption(new Option('-o, --output <format>').choices(['yaml', 'json']))
    .addHelpText('after', '\nExample:\n  navctl storage')
    .action(run(storage));

async function storage(session: Session, { output }: StorageOptions): Promise<void> {
  const found = await session.client().storage();
  if (output !== undefined) {
    // A message's JSON is an object.
    session.print(objectText(output, GetStorageResponse.toJSON(found) as JsonObject));
    return;
  }
  session.print(`${found.explanation}\n`);
  if (found.members.length === 0) return;
  const ago = (time: string) => (time === '' ? '<never>' : `${age(time, session.io.now())} ago`);
  const size = (bytes: bigint) => humanSize(Number(bytes));
  const rows = found.members.map((member) => [
    member.endpoint,
    member.unreachable === '' ? (member.leads ? 'Leader' : 'Follower') : 'Unreachable',
    size(member.usedBytes),
    size(member.diskBytes),
    size(found.quotaBytes),
    member.version || '<unknown>',
    ago(member.defragmentedAt),
  ]);
  session.print(
    `\n${formatTable([['MEMBER', 'ROLE', 'USED', 'ON DISK', 'QUOTA', 'VERSION', 'DEFRAGMENTED'], ...rows])}`,
  );
  if (found.compactedAt === '') return;
  session.print(`\nHistory before revision ${found.compactedRevision} was let go ${ago(found.compactedAt)}.\n`);
}
