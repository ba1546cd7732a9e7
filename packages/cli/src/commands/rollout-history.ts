import { formatTable } from '@navarch/machinery';
import { Command, Option } from 'commander';
import { type ChoiceOptions, chooseObjects, type Chosen, forEachOf, withChoice } from '../choose-objects.ts';
import { annotationsEntry, labelsEntry } from '../describe/generic.ts';
import { type Entry, outlineText } from '../describe/outline.ts';
import { containerEntries, volumeEntries } from '../describe/pod-template.ts';
import { wholeNumber } from '../options.ts';
import { objectText, shownManifest } from '../print/objects.ts';
import { objectName } from '../resource-args.ts';
import { findRevisions, pickRevision, type Recorded } from '../rollout/revisions.ts';
import type { Revision } from '../rollout/rollout-kind.ts';
import { rolloutKindOf } from '../rollout/rollout-kinds.ts';
import type { Runner } from '../runner.ts';
import type { Session } from '../session.ts';

interface HistoryOptions extends ChoiceOptions {
  readonly revision?: number;
  readonly output?: 'yaml' | 'json' | 'name';
}

export const rolloutHistoryCommand = (run: Runner) =>
  withChoice(new Command('history'))
    .description('Show the revisions that are kept, or one of them')
    .addOption(new Option('--revision <number>', 'show the template of this one').argParser(wholeNumber))
    .addOption(
      new Option('-o, --output <format>', 'print the objects that keep the revisions').choices([
        'yaml',
        'json',
        'name',
      ]),
    )
    .addHelpText(
      'after',
      '\nCHANGE-CAUSE is the annotation kubernetes.io/change-cause that the object had then.\n\nExamples:\n  navctl rollout history deploy/web\n  navctl rollout history deploy/web --revision=2',
    )
    .action(
      run(async (session, args: readonly string[], options: HistoryOptions) =>
        forEachOf(session, await chooseObjects(session, args, options), (chosen) => show(session, chosen, options)),
      ),
    );

async function show(session: Session, { kind, namespace, name }: Chosen, options: HistoryOptions): Promise<void> {
  const rollout = rolloutKindOf(kind);
  const object = await session.client().get(rollout.kind, { namespace, name });
  const revisions = await findRevisions(session, rollout, object);
  const number = options.revision ?? 0;
  const shown = number === 0 ? revisions : [pickRevision(revisions, number, rollout, name)];
  const { output } = options;
  if (output !== undefined) {
    for (const { record } of shown) {
      if (output === 'name') session.print(`${objectName(rollout.records, record.metadata.name)}\n`);
      else {
        const text = objectText(output, shownManifest(rollout.records, record, {}));
        session.print(output === 'yaml' && shown.length > 1 ? `---\n${text}` : text);
      }
    }
    return;
  }
  const title = objectName(kind, name);
  if (number > 0) {
    for (const { revision } of shown) session.print(`${title} with revision #${number}\n${templateText(revision)}`);
    return;
  }
  const notes = rollout.facts(object).notes ?? {};
  const noteOf = ({ record }: Recorded) => notes[record.metadata.name] ?? '';
  // What is to be said of the newest alone goes without saying.
  const isNoted = revisions.slice(0, -1).some((each) => noteOf(each) !== '');
  const rows = revisions.map((each) => [
    each.revision.number,
    each.revision.cause || '<none>',
    ...(isNoted ? [noteOf(each)] : []),
  ]);
  const header = ['REVISION', 'CHANGE-CAUSE', ...(isNoted ? ['NOTE'] : [])];
  session.print(`${title} \n${formatTable([header, ...rows])}\n`);
}

function templateText({ template }: Revision): string {
  const { metadata, spec } = template;
  const entries: readonly Entry[] = [
    labelsEntry('Labels', metadata?.labels),
    ...(Object.keys(metadata?.annotations ?? {}).length === 0 ? [] : [annotationsEntry(metadata?.annotations)]),
    ...(spec === undefined ? [] : [...containerEntries(spec), ...volumeEntries(spec)]),
  ];
  return outlineText([{ label: 'Pod Template', entries }]);
}
