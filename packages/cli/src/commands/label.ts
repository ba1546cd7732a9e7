import type { KubeObject } from '@navarch/machinery';
import { PatchRequest_Type } from '@navarch/proto';
import { Command, Option } from 'commander';
import { type ChoiceOptions, chooseObjects, type Chosen, forEachOf, withChoice } from '../choose-objects.ts';
import { dryRunOption, fieldManagerOption, outputOption, writeOptions } from '../options.ts';
import { type ResultFlags, printResult } from '../print/result.ts';
import { objectName } from '../resource-args.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';

interface LabelFlags extends ChoiceOptions, ResultFlags {
  readonly fieldManager?: string;
  readonly overwrite?: boolean;
  readonly list?: boolean;
  readonly resourceVersion?: string;
}

/** Labels or annotations. */
interface Part {
  readonly field: 'labels' | 'annotations';
  readonly verb: string;
  readonly set: string;
  readonly removed: string;
}

const labels: Part = { field: 'labels', verb: 'label', set: 'labeled', removed: 'unlabeled' };
const annotations: Part = { field: 'annotations', verb: 'annotate', set: 'annotated', removed: 'annotated' };

export const labelCommand = (run: Runner) => partCommand(run, labels, 'tier=front', 'tier');
export const annotateCommand = (run: Runner) => partCommand(run, annotations, 'owner=team-a', 'owner');

function partCommand(run: Runner, part: Part, example: string, key: string): Command {
  return withChoice(new Command(part.verb))
    .description(`Set (key=value) or remove (key-) ${part.field}`)
    .usage('[options] TYPE NAME… | TYPE/NAME… | TYPE -l … | TYPE --all | -f FILE  key=value… key-…')
    .option('--overwrite', 'change those that have another value already')
    .option('--list', `show the ${part.field}, and change nothing without key=value`)
    .addOption(new Option('--resource-version <version>', 'only when the object is still at this version'))
    .addOption(outputOption())
    .addOption(dryRunOption())
    .addOption(fieldManagerOption())
    .addHelpText(
      'after',
      [
        '\nExamples:',
        `  navctl ${part.verb} pod web ${example}`,
        `  navctl ${part.verb} pods -l app=web ${example} --overwrite`,
        `  navctl ${part.verb} pods --all ${key}-`,
        `  navctl ${part.verb} deploy/web --list`,
      ].join('\n'),
    )
    .action(run((session, args: readonly string[], flags: LabelFlags) => setPart(session, args, flags, part)));
}

type Changes = ReadonlyMap<string, string | null>;

async function setPart(session: Session, args: readonly string[], flags: LabelFlags, part: Part): Promise<number> {
  const first = args.findIndex((text) => text.includes('=') || text.endsWith('-'));
  const named = first < 0 ? args : args.slice(0, first);
  const changes: Changes = readChanges(first < 0 ? [] : args.slice(first));
  if (changes.size === 0 && flags.list !== true) {
    throw new UserError('say what to change: key=value, or key- to remove it');
  }
  const chosen = await chooseObjects(session, named, flags);
  if (flags.resourceVersion !== undefined && chosen.length > 1) {
    throw new UserError('--resource-version goes with one object only');
  }
  return forEachOf(session, chosen, async (one) => {
    const object = changes.size === 0 ? await current(session, one) : await change(session, one, changes, flags, part);
    if (flags.list === true) list(session, one, object, part, chosen.length > 1);
  });
}

/** null removes, as in a merge patch. Throws UserError for what is no change, and for keys that stand twice. */
function readChanges(texts: readonly string[]): Changes {
  const changes = new Map<string, string | null>();
  for (const text of texts) {
    const equals = text.indexOf('=');
    if (equals < 1 && !(equals < 0 && /.-$/.test(text))) {
      throw new UserError(`"${text}" is no change: after the objects say key=value, or key- to remove it`);
    }
    const key = equals < 0 ? text.slice(0, -1) : text.slice(0, equals);
    if (changes.has(key)) throw new UserError(`"${key}" stands there twice`);
    changes.set(key, equals < 0 ? null : text.slice(equals + 1));
  }
  return changes;
}

async function change(
  session: Session,
  chosen: Chosen,
  changes: Changes,
  flags: LabelFlags,
  part: Part,
): Promise<KubeObject> {
  const { kind, namespace, name } = chosen;
  const before = await current(session, chosen);
  const present: Readonly<Record<string, string>> = before.metadata?.[part.field] ?? {};
  for (const [key, value] of changes) {
    const has = present[key];
    if (has === undefined && value === null) session.warn(`${part.field.slice(0, -1)} "${key}" not found.\n`);
    if (flags.overwrite === true || has === undefined || value === null || has === value) continue;
    throw new UserError(`${objectName(kind, name)} has ${key}=${has} already; --overwrite changes it`);
  }
  // The version that was looked at, so that nobody else's change is overwritten unseen.
  const seen = flags.overwrite === true ? undefined : before.metadata?.resourceVersion;
  const resourceVersion = flags.resourceVersion ?? seen;
  const precondition = resourceVersion === undefined ? {} : { resourceVersion };
  const patch = JSON.stringify({ metadata: { ...precondition, [part.field]: Object.fromEntries(changes) } });
  const after = await session
    .client()
    .patch(kind, { namespace, name }, { type: PatchRequest_Type.MERGE, patch }, writeOptions(flags));
  const differs = [...changes].some(([key, value]) => (present[key] ?? null) !== value);
  const onlyRemoves = [...changes.values()].every((value) => value === null);
  const done = !differs ? `not ${part.set}` : onlyRemoves ? part.removed : part.set;
  printResult(session, { kind, object: after, done }, flags);
  return after;
}

async function current(session: Session, { kind, namespace, name, listed }: Chosen): Promise<KubeObject> {
  return listed ?? (await session.client().get(kind, { namespace, name }));
}

function list(session: Session, { kind, name }: Chosen, object: KubeObject, part: Part, several: boolean): void {
  if (several) session.print(`Listing ${part.field} for ${objectName(kind, name)}:\n`);
  const entries = Object.entries(object.metadata?.[part.field] ?? {}).sort(([a], [b]) => a.localeCompare(b));
  for (const [key, value] of entries) session.print(`${several ? ' ' : ''}${key}=${value}\n`);
}
