import { PatchRequest_Type } from '@navarch/proto';
import { Command } from 'commander';
import { dryRunNote, dryRunOption, fieldManagerOption, type WriteFlags, writeOptions } from '../options.ts';
import type { Runner } from '../runner.ts';
import { objectName, parseNamedTargets } from '../resource-args.ts';
import { namespaceOf, type Session, UserError } from '../session.ts';

interface LabelOptions extends WriteFlags {
  readonly overwrite?: boolean;
}

type Part = 'labels' | 'annotations';

export const labelCommand = (run: Runner) => partCommand(run, 'label', 'labels', 'labeled');
export const annotateCommand = (run: Runner) => partCommand(run, 'annotate', 'annotations', 'annotated');

function partCommand(run: Runner, verb: string, part: Part, done: string): Command {
  return new Command(verb)
    .description(`Set (key=value) or remove (key-) ${part}`)
    .argument('<target...>', 'TYPE NAME or TYPE/NAME, then key=value or key-')
    .option('--overwrite', 'change those that have another value already')
    .addOption(dryRunOption())
    .addOption(fieldManagerOption())
    .action(
      run((session, args: readonly string[], options: LabelOptions) => setPart(session, args, options, part, done)),
    );
}

async function setPart(
  session: Session,
  args: readonly string[],
  options: LabelOptions,
  part: Part,
  done: string,
): Promise<void> {
  const { overwrite } = options;
  const isChange = (text: string) => text.includes('=') || text.endsWith('-');
  const changes = new Map(args.filter(isChange).map(readChange));
  if (changes.size === 0) throw new UserError(`say what to change: key=value, or key- to remove it`);
  for (const { kind, name } of await parseNamedTargets(
    session,
    args.filter((text) => !isChange(text)),
  )) {
    const key = { namespace: namespaceOf(session, kind), name };
    const { metadata } = await session.client().get(kind, key);
    const present = metadata?.[part] ?? {};
    for (const [label, value] of changes) {
      const has = present[label];
      if (overwrite === true || has === undefined || value === null || has === value) continue;
      throw new UserError(`${objectName(kind, name)} has ${label}=${has} already; --overwrite changes it`);
    }
    // The version that was looked at, so that nobody else's change is overwritten unseen.
    const precondition = overwrite === true ? {} : { resourceVersion: metadata?.resourceVersion };
    const patch = JSON.stringify({ metadata: { ...precondition, [part]: Object.fromEntries(changes) } });
    await session.client().patch(kind, key, { type: PatchRequest_Type.MERGE, patch }, writeOptions(options));
    session.print(`${objectName(kind, name)} ${done}${dryRunNote(options)}\n`);
  }
}

/** null removes, as in a merge patch. */
function readChange(text: string): [string, string | null] {
  const equals = text.indexOf('=');
  return equals < 0 ? [text.slice(0, -1), null] : [text.slice(0, equals), text.slice(equals + 1)];
}
