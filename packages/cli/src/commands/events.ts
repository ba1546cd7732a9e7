import { event } from '@navarch/kinds';
import { formatTable } from '@navarch/machinery';
import { Command, Option } from 'commander';
import { allNamespacesOption } from '../options.ts';
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
    .option('-w, --watch', 'go on as more happens')
    .addOption(allNamespacesOption())
    .addOption(new Option('-o, --output <format>').choices(['yaml', 'json']))
    .option('--no-headers', 'no titles above the columns')
    .action(run(events));

async function events(session: Session, options: EventsOptions): Promise<number> {
  const namespace = options.allNamespaces === true ? '' : session.namespace;
  const fieldSelector = await selectorFor(session, options.for);
  if (options.watch === true) return watchAndPrint(session, event, { ...options, namespace, fieldSelector });
  const { items } = await session.client().list(event, { namespace, fieldSelector });
  const types = options.types?.toLowerCase().split(',');
  const shown = byTime(items).filter(({ type }) => types === undefined || types.includes(type.toLowerCase()));
  if (options.output !== undefined || shown.length === 0) {
    printObjects(session, [{ kind: event, items: shown }], { ...options, single: false });
    return 0;
  }
  const table = { ...options, wide: false, withKind: false, now: session.io.now() };
  const rows = shown.map((item) => tableRow(event, item, table));
  session.print(formatTable(options.headers ? [tableTitles(event, table), ...rows] : rows));
  return 0;
}

async function selectorFor(session: Session, object: string | undefined): Promise<string> {
  if (object === undefined) return '';
  const [type = '', name = ''] = object.split('/');
  if (name === '') throw new UserError('--for must be TYPE/NAME');
  const { kind } = await kindNamed(session, type);
  return `involvedObject.kind=${kind},involvedObject.name=${name}`;
}
