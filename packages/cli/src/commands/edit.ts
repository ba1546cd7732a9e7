import { isDeepStrictEqual } from 'node:util';
import type { KindDefinition } from '@navarch/kinds';
import { isApiError, type JsonObject, type KubeObject } from '@navarch/machinery';
import { Command, Option } from 'commander';
import { carefulUpdate } from '../careful-update.ts';
import { type ChoiceOptions, chooseObjects, type Chosen, withChoice } from '../choose-objects.ts';
import { editedFile } from '../editor.ts';
import { errorText } from '../errors.ts';
import { type Manifest, readManifests } from '../manifests.ts';
import { fieldManagerOption, strictnessOf, validateOption, type WriteFlags, writeOptions } from '../options.ts';
import { objectText, shownManifest } from '../print/objects.ts';
import { objectName } from '../resource-args.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';

interface EditFlags extends ChoiceOptions, WriteFlags {
  readonly output: 'yaml' | 'json';
  readonly validate?: string;
}

export const editCommand = (run: Runner) =>
  withChoice(new Command('edit'))
    .description('Change objects in an editor: $KUBE_EDITOR, $EDITOR or vi')
    .addOption(new Option('-o, --output <format>', 'as what to edit them').choices(['yaml', 'json']).default('yaml'))
    .addOption(validateOption())
    .addOption(fieldManagerOption())
    .addHelpText(
      'after',
      '\nWhat is saved is checked and sent once the editor ends. What is wrong stands in the file when it is opened again; to\ngive up, save it empty, or leave it as it is.\n\nExamples:\n  navctl edit deploy/web\n  KUBE_EDITOR="code --wait" navctl edit svc web\n  navctl edit cm -l app=web',
    )
    .action(run(edit));

/** An object that is edited. */
interface Edited extends Chosen {
  /** As the api last gave it. */
  object: KubeObject;
  /** What the file said of it when it was last sent, or opened: another text is a change. */
  text: JsonObject;
}

async function edit(session: Session, args: readonly string[], flags: EditFlags): Promise<number> {
  const objects = await readObjects(session, args, flags);
  const name = objects.length === 1 ? objects[0]?.name : 'objects';
  await using file = await editedFile(session.io, `${name}.${flags.output}`);
  let body = bodyText(objects, flags.output);
  for (let problems: readonly string[] = []; ; ) {
    const saved = withoutRemarks(await file.edit(headerText(problems, file.path) + body));
    if (saved.trim() === '') return cancelled(session, 'the file is empty');
    if (saved === body && problems.length === 0) return cancelled(session, 'nothing was changed');
    await file.write(saved);
    if (saved === body) {
      file.keep();
      throw new UserError([...problems, `nothing more was changed; what you wrote is kept in ${file.path}`].join('\n'));
    }
    body = saved;
    const sent = await send(session, file.path, objects, flags);
    if (sent.problems.length === 0) return sent.count > 0 ? 0 : cancelled(session, 'nothing was changed that could be');
    problems = sent.problems;
  }
}

async function readObjects(session: Session, args: readonly string[], flags: EditFlags): Promise<readonly Edited[]> {
  const objects: Edited[] = [];
  for (const chosen of await chooseObjects(session, args, flags)) {
    const { kind, namespace, name } = chosen;
    const object = await session.client().get(kind, { namespace, name });
    objects.push({ ...chosen, object, text: textOf(kind, object) });
  }
  if (objects.length === 0) throw new UserError('there is nothing to edit');
  return objects;
}

function cancelled(session: Session, why: string): number {
  session.warn(`Edit cancelled: ${why}.\n`);
  return 0;
}

/** Sends what was changed. Gives how many objects that were, and what is wrong with others. */
async function send(session: Session, path: string, objects: readonly Edited[], flags: EditFlags) {
  const problems: string[] = [];
  let count = 0;
  for (const manifest of await readBack(session, path, flags, problems)) {
    const { kind, name, place, object } = manifest;
    const edited = objects.find((each) => isSame(each, manifest));
    if (edited === undefined) {
      problems.push(`${place} ${objectName(kind, name)}: kind, name and namespace can't be changed`);
      continue;
    }
    const text = textOf(kind, object);
    if (isDeepStrictEqual(text, edited.text)) continue;
    try {
      edited.object = await update(session, edited, object, flags);
      edited.text = text;
      count++;
      session.print(`${objectName(kind, name)} edited\n`);
    } catch (error) {
      if (isApiError(error, 'Unavailable', 'Timeout')) throw error;
      problems.push(...errorText(error, session.server).split('\n'));
    }
  }
  return { count, problems };
}

async function readBack(
  session: Session,
  path: string,
  flags: EditFlags,
  problems: string[],
): Promise<readonly Manifest[]> {
  try {
    return await readManifests(session, { filename: [path] }, strictnessOf(flags));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    problems.push(...error.message.split('\n'));
    return [];
  }
}

function update(session: Session, { kind, namespace, object: seen }: Edited, object: KubeObject, flags: EditFlags) {
  const wanted = (latest: KubeObject) => {
    const { resourceVersion = '', managedFields = [], uid = '' } = latest.metadata ?? {};
    return {
      ...object,
      metadata: object.metadata && { ...object.metadata, namespace, uid, resourceVersion, managedFields },
    };
  };
  return carefulUpdate(session, kind, seen, wanted, writeOptions(flags));
}

function isSame({ kind, namespace, name }: Edited, edited: Manifest): boolean {
  const where = edited.object.metadata?.namespace ?? '';
  return edited.kind === kind && edited.name === name && (where === namespace || where === '');
}

/** All of an object that a user may change: status is not for users to write. */
function textOf(kind: KindDefinition, object: KubeObject): JsonObject {
  const { status: _, ...rest } = shownManifest(kind, object, {});
  return rest;
}

function bodyText(objects: readonly Edited[], format: 'yaml' | 'json'): string {
  const items = objects.map(({ kind, object }) => shownManifest(kind, object, {}));
  if (format === 'yaml') return items.map((item) => objectText('yaml', item)).join('---\n');
  const [only] = items;
  if (items.length === 1 && only !== undefined) return objectText('json', only);
  return objectText('json', { apiVersion: 'v1', kind: 'List', items });
}

const instructions = [
  'Change what is below, save it, and leave the editor. Lines that begin with # are left out.',
  'An empty file changes nothing. What is wrong will stand here, and the editor opens again.',
];

/** What stands above the objects. Places in them are told as they are with it above. */
function headerText(problems: readonly string[], path: string): string {
  const lines = [...instructions, ...(problems.length === 0 ? [] : ['', ...problems]), ''];
  return lines
    .map((line) => line.replaceAll(`${path}:`, 'line '))
    .map((line) => line.replace(/(?<=\bline )\d+(?=:\d)/, (row) => String(Number(row) + lines.length)))
    .map((line) => `${`# ${line}`.trimEnd()}\n`)
    .join('');
}

function withoutRemarks(text: string): string {
  return text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n');
}
