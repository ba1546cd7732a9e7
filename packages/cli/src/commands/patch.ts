import type { PatchText } from '@navarch/client';
import { PatchRequest_Type } from '@navarch/proto';
import { readYaml } from '@navarch/machinery';
import { Command, Option } from 'commander';
import { dryRunNote, dryRunOption, fieldManagerOption, isDryRun, type WriteFlags, writeOptions } from '../options.ts';
import type { Runner } from '../runner.ts';
import { objectName, parseNamedTargets } from '../resource-args.ts';
import { namespaceOf, type Session, UserError } from '../session.ts';

interface PatchOptions extends WriteFlags {
  readonly patch: string;
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
  new Command('patch')
    .description('Change parts of an object')
    .argument('<target...>', 'TYPE NAME or TYPE/NAME')
    .addOption(new Option('-p, --patch <text>', 'the patch, as JSON or YAML').makeOptionMandatory())
    .addOption(new Option('--type <type>', 'how the patch is written').choices(Object.keys(types)).default('strategic'))
    .addOption(
      new Option('--subresource <name>', 'patch only this part').choices(['status', 'scale'] satisfies Subresource[]),
    )
    .addOption(dryRunOption())
    .addOption(fieldManagerOption())
    .addHelpText('after', '\nExample:\n  navctl patch deploy web -p \'{"spec":{"replicas":2}}\'')
    .action(run(patch));

async function patch(session: Session, args: readonly string[], options: PatchOptions): Promise<void> {
  const { documents, errors } = readYaml(options.patch);
  const [document] = documents;
  const [problem] = errors;
  if (problem !== undefined) throw new UserError(`the patch, column ${problem.position.column}: ${problem.message}`);
  if (document === undefined) throw new UserError('the patch is empty');
  const text = JSON.stringify(document.json);
  const { subresource } = options;
  for (const { kind, name } of await parseNamedTargets(session, args)) {
    const key = { namespace: namespaceOf(session, kind), name };
    const before = (await session.client().get(kind, key)).metadata?.resourceVersion;
    const after = await session
      .client()
      .patch(
        kind,
        key,
        { type: types[options.type], patch: text, ...(subresource && { subresource }) },
        writeOptions(options),
      );
    const changed = isDryRun(options) || after.metadata?.resourceVersion !== before;
    session.print(`${objectName(kind, name)} patched${changed ? '' : ' (no change)'}${dryRunNote(options)}\n`);
  }
}
