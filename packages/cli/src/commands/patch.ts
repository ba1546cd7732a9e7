import { readFile } from 'node:fs/promises';
import type { PatchText } from '@navarch/client';
import { readYaml } from '@navarch/machinery';
import { PatchRequest_Type } from '@navarch/proto';
import { Command, Option } from 'commander';
import { type ChoiceOptions, chooseObjects, type Chosen, forEachOf, withChoice } from '../choose-objects.ts';
import { isPatched } from '../content.ts';
import { dryRunOption, fieldManagerOption, isDryRun, outputOption, type WriteFlags, writeOptions } from '../options.ts';
import { printResult, type ResultFlags } from '../print/result.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';

interface PatchOptions extends ChoiceOptions, WriteFlags, ResultFlags {
  readonly dryRun?: string;
  readonly patch?: string;
  readonly patchFile?: string;
  readonly type: keyof typeof types;
  readonly subresource?: Subresource;
}

type Subresource = NonNullable<PatchText['subresource']>;

const types = {
  strategic: PatchRequest_Type.STRATEGIC,
  merge: PatchRequest_Type.MERGE,
  json: PatchRequest_Type.JSON,
};

export const patchCommand = (run: Runner) =>
  withChoice(new Command('patch'))
    .description('Change parts of an object')
    .addOption(new Option('-p, --patch <text>', 'the patch, as JSON or YAML').conflicts('patchFile'))
    .addOption(new Option('--patch-file <path>', 'a file with the patch'))
    .addOption(new Option('--type <type>', 'how the patch is written').choices(Object.keys(types)).default('strategic'))
    .addOption(
      new Option('--subresource <name>', 'patch only this part').choices(['status', 'scale'] satisfies Subresource[]),
    )
    .addOption(outputOption())
    .addOption(dryRunOption())
    .addOption(fieldManagerOption())
    .addHelpText(
      'after',
      [
        '\nExamples:',
        `  navctl patch deploy web -p '{"spec":{"replicas":2}}'`,
        `  navctl patch deploy web --type=json -p '[{"op":"remove","path":"/spec/paused"}]'`,
        '  navctl patch -f web.yaml --patch-file more.yaml',
        `  navctl patch deploy web --subresource=scale --type=merge -p '{"spec":{"replicas":2}}'`,
      ].join('\n'),
    )
    .action(run(patch));

async function patch(session: Session, args: readonly string[], options: PatchOptions): Promise<number> {
  const text = await patchText(options);
  const chosen = await chooseObjects(session, args, options);
  return forEachOf(session, chosen, (one) => patchOne(session, one, text, options));
}

async function patchOne(session: Session, chosen: Chosen, text: string, options: PatchOptions): Promise<void> {
  const { kind, namespace, name } = chosen;
  const key = { namespace, name };
  const { subresource } = options;
  const before = await session.client().get(kind, key);
  const request = { type: types[options.type], patch: text, ...(subresource && { subresource }) };
  const after = await session.client().patch(kind, key, request, writeOptions(options));
  const changed = isDryRun(options) || isPatched(kind, before, after, subresource);
  printResult(session, { kind, object: after, done: `patched${changed ? '' : ' (no change)'}` }, options);
}

/** The patch as JSON. Throws UserError that says where it is wrong. */
async function patchText({ patch, patchFile }: PatchOptions): Promise<string> {
  const { place, text } = await patchSource(patch, patchFile);
  const { documents, errors } = readYaml(text);
  const [problem] = errors;
  if (problem !== undefined) {
    const { line, column } = problem.position;
    const where = patchFile === undefined ? `${place}, column ${column}` : `${place}:${line}:${column}`;
    throw new UserError(`${where}: ${problem.message}`);
  }
  const [document, ...more] = documents;
  if (document === undefined) throw new UserError(`${place} is empty`);
  if (more.length > 0) throw new UserError(`${place} holds several documents; a patch is one`);
  if (typeof document.json !== 'object') {
    throw new UserError(`${place} must be an object or, with --type=json, a list of operations`);
  }
  return JSON.stringify(document.json);
}

async function patchSource(patch: string | undefined, file: string | undefined) {
  if (patch !== undefined) return { place: 'the patch', text: patch };
  if (file === undefined) throw new UserError('say how to change it: -p PATCH, or --patch-file FILE');
  try {
    return { place: file, text: await readFile(file, 'utf8') };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException; // as node:fs throws
    throw new UserError(code === 'ENOENT' ? `the path "${file}" does not exist` : message);
  }
}
