import { closest } from '@navarch/machinery';
import { Command } from 'commander';
import type { Maker } from '../generate/maker.ts';
import { makers } from '../generate/makers.ts';
import { type NewFlags, sendNew } from '../generate/send-new.ts';
import { type FileOptions, type Manifest, readManifests } from '../manifests.ts';
import {
  dryRunOption,
  fieldManagerOption,
  filenameOption,
  outputOption,
  recursiveOption,
  strictnessOf,
  validateOption,
  writeOptions,
} from '../options.ts';
import { printResult } from '../print/result.ts';
import type { Runner } from '../runner.ts';
import { namespaceOf, type Session, UserError } from '../session.ts';
import { checkNamespace } from './apply.ts';
import { addCreateToken } from './create-token.ts';

interface CreateFlags extends Partial<FileOptions>, NewFlags {
  readonly validate?: string;
}

export const createCommand = (run: Runner) => {
  const command = new Command('create')
    .description('Make new objects; an object that is there already is an error')
    .usage('[options] TYPE NAME | -f FILE')
    .argument('[type...]', 'one of those below, and what it needs; or none, with -f')
    .allowUnknownOption() // those of a type that is misspelt are not what is wrong
    .addOption(filenameOption())
    .addOption(recursiveOption())
    .addOption(validateOption())
    .addHelpText('after', examplesText(['-f web.yaml', ...makers.flatMap(({ examples }) => examples.slice(0, 1))]))
    .action(run(createFromFiles));
  withNewFlags(command);
  for (const maker of makers) addMaker(command, maker, run);
  addCreateToken(command, run);
  return command;
};

function withNewFlags(command: Command): Command {
  return command.addOption(outputOption()).addOption(dryRunOption()).addOption(fieldManagerOption());
}

/** Adds `create secret tls` below `create secret`, which is made with the first of them. */
function addMaker(create: Command, maker: Maker, run: Runner): void {
  const [last = '', ...before] = maker.path.toReversed();
  const parent = before.reduceRight((above, word) => groupOf(above, word), create);
  const command = parent.command(last).description(maker.description).argument('<name>');
  if (maker.aliases !== undefined) command.aliases(maker.aliases);
  if (maker.takesCommand === true) command.argument('[command...]', 'after --: a program and its arguments');
  for (const option of maker.options()) command.addOption(option);
  withNewFlags(command)
    .addHelpText('after', examplesText(maker.examples))
    .action(
      maker.takesCommand === true
        ? run((session, name: string, words: readonly string[], flags: NewFlags) =>
            make(session, maker, name, words, flags),
          )
        : run((session, name: string, flags: NewFlags) => make(session, maker, name, [], flags)),
    );
}

function groupOf(parent: Command, word: string): Command {
  const found = parent.commands.find((command) => command.name() === word);
  if (found !== undefined) return found;
  const examples = makers.filter(({ path }) => path[0] === word).flatMap((each) => each.examples.slice(0, 1));
  const group = parent
    .command(word)
    .description(`Make a ${word} of one of several types`)
    .addHelpText('after', examplesText(examples));
  return word === 'service' ? group.alias('svc') : group;
}

function examplesText(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((example) => `  navctl create ${example}`).join('\n')}`;
}

async function make(
  session: Session,
  maker: Maker,
  name: string,
  command: readonly string[],
  flags: NewFlags,
): Promise<void> {
  const { apiVersion, kind } = maker;
  const { metadata, ...body } = await maker.make(name, flags, { session, command });
  await sendNew(session, { apiVersion, kind, metadata: { name, ...(metadata as object | undefined) }, ...body }, flags);
}

async function createFromFiles(session: Session, [type]: readonly string[], flags: CreateFlags): Promise<void> {
  if (type !== undefined) throw unknownType(type);
  const { filename, recursive = false } = flags;
  if (filename === undefined) {
    const types = new Set(makers.map(({ path: [word] }) => word));
    throw new UserError(
      `say what: -f FILE, or one of ${[...types].join(', ')}; \`navctl create --help\` shows examples`,
    );
  }
  const manifests = await readManifests(session, { filename, recursive }, strictnessOf(flags));
  for (const manifest of manifests) checkNamespace(manifest, session);
  for (const manifest of manifests) await createOne(session, manifest, flags);
}

function unknownType(type: string): UserError {
  if (type.startsWith('-')) return new UserError(`unknown option '${type}'`);
  const types = makers.flatMap(({ path: [word = ''], aliases = [] }) => [word, ...aliases]);
  const guess = closest(type, types);
  const hint = guess === undefined ? '`navctl create --help` lists what can' : `did you mean "${guess}"?`;
  return new UserError(`"${type}" can't be made from flags; ${hint} (-f FILE makes objects of any type)`);
}

async function createOne(session: Session, { kind, object }: Manifest, flags: CreateFlags): Promise<void> {
  const metadata = object.metadata && { ...object.metadata };
  if (metadata !== undefined && metadata.namespace === '') metadata.namespace = namespaceOf(session, kind);
  const made = await session.client().create(kind, { ...object, metadata }, writeOptions(flags));
  printResult(session, { kind, object: made, done: 'created' }, flags);
}
