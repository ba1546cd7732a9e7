import type { Version } from '@navarch/client';
import { type KindDefinition, manifest } from '@navarch/kinds';
import { age, formatTable, type JsonObject } from '@navarch/machinery';
import { Command, Option } from 'commander';
import { changeable, changedPaths } from '../content.ts';
import { wholeNumber } from '../options.ts';
import { objectText } from '../print/objects.ts';
import { parseNamedTargets } from '../resource-args.ts';
import type { Runner } from '../runner.ts';
import { namespaceOf, type Session } from '../session.ts';

interface HistoryOptions {
  readonly limit: number;
  readonly output?: 'yaml' | 'json';
  readonly headers: boolean;
}

/** So many changed fields are named in a line. */
const namedChanges = 3;

export const historyCommand = (run: Runner) =>
  new Command('history')
    .description('Show the versions of an object that are still known, also of one that is gone')
    .argument('<target...>', 'TYPE NAME… or TYPE/NAME…')
    .addOption(new Option('--limit <number>', 'at most so many').argParser(wholeNumber).default(10))
    .addOption(new Option('-o, --output <format>', 'the versions in full').choices(['yaml', 'json']))
    .option('--no-headers', 'no titles above the columns')
    .addHelpText('after', '\nExamples:\n  navctl history deploy/web\n  navctl history svc/web -o yaml')
    .action(run(history));

async function history(session: Session, args: readonly string[], options: HistoryOptions): Promise<void> {
  for (const { kind, name } of await parseNamedTargets(session, args)) {
    const key = { namespace: namespaceOf(session, kind), name };
    const { versions, warning } = await session.client().history(kind, key, { limit: options.limit });
    if (options.output === undefined) {
      const rows = versions.map((version, index) => row(kind, version, versions[index + 1], session.io.now()));
      session.print(formatTable(options.headers ? [['REVISION', 'AGE', 'MANAGER', 'CHANGE'], ...rows] : rows));
    } else session.print(objectText(options.output, { items: versions.map((version) => inFull(kind, version)) }));
    if (warning !== '') session.warn(`# ${warning}\n`);
  }
}

function row(kind: KindDefinition, version: Version, older: Version | undefined, now: number): string[] {
  const { revision, time, manager, gap } = version;
  const change = `${changeText(kind, version, older)}${gap ? ' (the versions before it are missing)' : ''}`;
  return [String(revision), age(time, now), manager, change];
}

/** What a version changed, in a few words. */
export function changeText(kind: KindDefinition, { object }: Version, older: Version | undefined): string {
  if (object === undefined) return 'deleted';
  if (older === undefined) return '';
  if (older.object === undefined) return 'created';
  const paths = changedPaths(changeable(kind, older.object), changeable(kind, object));
  const more = paths.length - namedChanges;
  return `${paths.slice(0, namedChanges).join(', ')}${more > 0 ? `, and ${more} more` : ''}`;
}

function inFull(kind: KindDefinition, { revision, time, stored, manager, object }: Version): JsonObject {
  const about = { revision: String(revision), time, stored, manager };
  return object === undefined ? { ...about, deleted: true } : { ...about, object: manifest(kind, object) };
}
