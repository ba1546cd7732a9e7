import type { KindDefinition } from '@navarch/kinds';
import { escapeFieldValue, isApiError, type KubeObject } from '@navarch/machinery';
import { Command, Option } from 'commander';
import { errorText } from '../errors.ts';
import { readManifests } from '../manifests.ts';
import {
  allNamespacesOption,
  atOption,
  fieldSelectorOption,
  filenameOption,
  recursiveOption,
  selectorOption,
} from '../options.ts';
import type { GetOptions } from '../print/get-options.ts';
import { type Listed, printObjects } from '../print/objects.ts';
import { watchAndPrint } from '../print/watch.ts';
import { resolveMoment } from '../moment.ts';
import type { Runner } from '../runner.ts';
import { parseTargets, type Target } from '../resource-args.ts';
import { namespaceOf, type Session, UserError } from '../session.ts';

export const getCommand = (run: Runner) =>
  new Command('get')
    .description('Show objects')
    .argument('[target...]', 'TYPE, TYPE NAME…, TYPE/NAME…, TYPE,TYPE or all')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(['wide', 'yaml', 'json', 'name']))
    .option('-w, --watch', 'go on printing as objects change')
    .option('--watch-only', 'print changes only')
    .addOption(atOption())
    .addOption(selectorOption())
    .addOption(fieldSelectorOption())
    .addOption(allNamespacesOption())
    .addOption(filenameOption())
    .addOption(recursiveOption())
    .option('--show-labels', 'labels in the last column')
    .option('--show-managed-fields', 'who set which fields too, in yaml and json')
    .option('--no-headers', 'no titles above the columns')
    .option('--ignore-not-found', 'say nothing of objects that are not there')
    .addHelpText(
      'after',
      '\nExamples:\n  navctl get pods -o wide\n  navctl get deploy,svc -A\n  navctl get pod web -w\n  navctl get deploy -A --at 5m',
    )
    .action(run(get));

async function get(session: Session, args: readonly string[], options: GetOptions): Promise<number> {
  const targets =
    options.filename === undefined ? await parseTargets(session, args) : await fileTargets(options, session);
  if (options.watch === true || options.watchOnly === true) {
    if (options.at !== undefined) throw new UserError('--at shows what was, and --watch what comes: choose one');
    return watch(session, targets, options);
  }
  const selects = options.selector !== undefined || options.fieldSelector !== undefined;
  if (selects && targets.some(({ name }) => name !== undefined)) {
    throw new UserError('a name and a selector exclude each other');
  }
  const at = options.at === undefined ? undefined : await resolveMoment(session, options.at, targets);
  const lists: Listed[] = [];
  let failures = 0;
  for (const [kind, names] of byKind(targets)) {
    const items: KubeObject[] = [];
    if (names.length === 0) items.push(...(await list(session, kind, options, at)));
    for (const name of names) {
      try {
        items.push(await session.client().get(kind, { namespace: namespaceOf(session, kind), name }, { at }));
      } catch (error) {
        if (!isApiError(error, 'NotFound', 'BadRequest', 'Forbidden')) throw error;
        if (options.ignoreNotFound === true && isApiError(error, 'NotFound')) continue;
        failures++;
        session.warn(`${errorText(error, session.server)}\n`);
      }
    }
    lists.push({ kind, items });
  }
  const single = targets.length === 1 && targets[0]?.name !== undefined;
  if (failures === 0 || lists.some(({ items }) => items.length > 0))
    printObjects(session, lists, { ...options, single });
  return failures === 0 ? 0 : 1;
}

function watch(session: Session, targets: readonly Target[], options: GetOptions): Promise<number> {
  const [target, ...more] = targets;
  if (target === undefined || more.length > 0)
    throw new UserError('only one type, or one object, can be watched at once');
  const { kind, name } = target;
  const byName = name === undefined ? undefined : `metadata.name=${escapeFieldValue(name)}`;
  const fieldSelector = byName ?? options.fieldSelector;
  return watchAndPrint(session, kind, {
    ...options,
    namespace: options.allNamespaces === true ? '' : namespaceOf(session, kind),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  });
}

async function list(
  session: Session,
  kind: KindDefinition,
  options: GetOptions,
  at: bigint | undefined,
): Promise<readonly KubeObject[]> {
  const { items } = await session.client().list(kind, {
    at,
    namespace: options.allNamespaces === true ? '' : namespaceOf(session, kind),
    ...(options.selector === undefined ? {} : { labelSelector: options.selector }),
    ...(options.fieldSelector === undefined ? {} : { fieldSelector: options.fieldSelector }),
  });
  return items;
}

async function fileTargets(options: GetOptions, session: Session): Promise<readonly Target[]> {
  const { filename = [], recursive = false } = options;
  const manifests = await readManifests(session, { filename, recursive }, 'names');
  return manifests.map(({ kind, name }) => ({ kind, name }));
}

function byKind(targets: readonly Target[]): Map<KindDefinition, string[]> {
  const names = new Map<KindDefinition, string[]>();
  for (const { kind, name } of targets) {
    const known = names.get(kind) ?? [];
    if (name !== undefined) known.push(name);
    names.set(kind, known);
  }
  return names;
}
