import { event } from '@navarch/kinds';
import { escapeFieldValue, formatTable } from '@navarch/machinery';
import { Command, Option } from 'commander';
import { allNamespacesOption, durationMs } from '../options.ts';
import { byTime } from '../event-order.ts';
import { printObjects } from '../print/objects.ts';
import { watchAndPrint } from '../print/watch.ts';
import { tableRow, tableTitles } from '../print/table.ts';
import type { Runner } from '../runner.ts';
import { kindNamed } from '../resource-args.ts';
import { type Session, UserError } from '../session.ts';

interface EventsOptions {
  readonly for?: string;
  readonly types?: string;
  readonly reason?: string;
  readonly since?: number;
  readonly watch?: boolean;
  readonly allNamespaces?: boolean;
  readonly output?: 'yaml' | 'json';
  readonly headers: boolean;
}

export const eventsCommand = (run: Runner) =>
  new Command('events')
    .description('Show what happened, oldest first')
    .option('--for <object>', 'only what happened to this: pod/web')
    .option('--types <types>', 'only these: Normal, Warning')
    .option('--reason <reason>', 'only with this reason: FailedScheduling, Rebalanced')
    .addOption(new Option('--since <duration>', 'only what happened since: 30s, 10m').argParser(durationMs))
    .option('-w, --watch', 'go on as more happens')
    .addOption(allNamespacesOption())
    .addOption(new Option('-o, --output <format>').choices(['yaml', 'json']))
    .option('--no-headers', 'no titles above the columns')
    .addHelpText(
      'after',
      '\nExamples:\n  navctl events\n  navctl events --for pod/web --types Warning\n  navctl events -A --since 10m -w',
    )
    .action(run(events));

async function events(session: Session, options: EventsOptions): Promise<number> {
  const namespace = options.allNamespaces === true ? '' : session.namespace;
  const ofReason = options.reason === undefined ? [] : [`reason=${escapeFieldValue(options.reason)}`];
  const fieldSelector = [...(await aboutObject(session, options.for)), ...ofTypes(options.types), ...ofReason].join(
    ',',
  );
  const since = options.since === undefined ? '' : new Date(session.io.now() - options.since).toISOString();
  const { items, revision } = await session.client().list(event, { namespace, fieldSelector, since });
  const shown = byTime(items);
  if (options.watch === true) {
    // An Event goes when it is old, which is no news.
    const begin = { items: shown, revision };
    return watchAndPrint(session, event, { ...options, namespace, fieldSelector, begin, withoutDeleted: true });
  }
  if (options.output !== undefined || shown.length === 0) {
    printObjects(session, [{ kind: event, items: shown }], { ...options, single: false });
    return 0;
  }
  const table = { ...options, wide: false, withKind: false, now: session.io.now() };
  const rows = shown.map((item) => tableRow(event, item, table));
  session.print(formatTable(options.headers ? [tableTitles(event, table), ...rows] : rows));
  return 0;
}

async function aboutObject(session: Session, object: string | undefined): Promise<string[]> {
  if (object === undefined) return [];
  const [type = '', name = ''] = object.split('/');
  if (name === '') throw new UserError('--for must be TYPE/NAME');
  const { kind } = await kindNamed(session, type);
  return [`involvedObject.kind=${kind}`, `involvedObject.name=${escapeFieldValue(name)}`];
}

function ofTypes(list: string | undefined): string[] {
  if (list === undefined) return [];
  const types = new Set(list.split(',').map((text) => typeNamed(text.trim())));
  return types.size === allTypes.length ? [] : [...types].map((type) => `type=${type}`);
}

const allTypes = ['Normal', 'Warning'] as const;

function typeNamed(text: string): string {
  const type = allTypes.find((each) => each.toLowerCase() === text.toLowerCase());
  if (type === undefined) throw new UserError(`--types must be ${allTypes.join(' or ')}, not "${text}"`);
  return type;
}
