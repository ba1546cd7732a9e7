import { isApiError, type KubeObject } from '@navarch/machinery';
import { DeleteRequest_Propagation } from '@navarch/proto';
import { Command, Option } from 'commander';
import { forEachOf } from '../choose-objects.ts';
import { type FileOptions, type Manifest, readManifests } from '../manifests.ts';
import {
  dryRunOption,
  durationMs,
  fieldManagerOption,
  filenameOption,
  isDryRun,
  outputOption,
  recursiveOption,
  strictnessOf,
  validateOption,
  wholeNumber,
  type WriteFlags,
  writeOptions,
} from '../options.ts';
import { printResult, type ResultFlags } from '../print/result.ts';
import { typeName } from '../resource-args.ts';
import type { Runner } from '../runner.ts';
import { namespaceOf, type Session, UserError } from '../session.ts';
import { waitGone } from '../wait-gone.ts';
import { checkApplicable } from './apply.ts';

interface ReplaceFlags extends FileOptions, WriteFlags, ResultFlags {
  readonly dryRun?: string;
  readonly force?: boolean;
  readonly subresource?: 'status';
  readonly validate?: string;
  readonly gracePeriod?: number;
  readonly timeout?: number;
}

export const replaceCommand = (run: Runner) =>
  new Command('replace')
    .description('Put manifests in the place of what there is: what they do not say is gone')
    .addOption(filenameOption().makeOptionMandatory())
    .addOption(recursiveOption())
    .option('--force', 'remove each object and make it anew, whatever of it can not be changed')
    .addOption(new Option('--grace-period <seconds>', 'with --force: how long they have to end').argParser(wholeNumber))
    .addOption(
      new Option('--timeout <duration>', 'with --force: how long to wait for them to go').argParser(durationMs),
    )
    .addOption(new Option('--subresource <name>', 'replace only this part').choices(['status']))
    .addOption(validateOption())
    .addOption(outputOption())
    .addOption(dryRunOption())
    .addOption(fieldManagerOption())
    .addHelpText(
      'after',
      '\nA manifest with metadata.resourceVersion replaces that version only. `navctl apply` changes what a manifest says and\nleaves the rest alone.\n\nExamples:\n  navctl replace -f web.yaml\n  navctl get deploy web -o yaml | sed s/1.26/1.27/ | navctl replace -f -\n  navctl replace -f web.yaml --force',
    )
    .action(run(replace));

async function replace(session: Session, options: ReplaceFlags): Promise<number> {
  if (options.force === true && options.subresource !== undefined) {
    throw new UserError('--force makes objects anew, and --subresource changes a part of them: choose one');
  }
  const manifests = await readManifests(session, options, strictnessOf(options));
  for (const manifest of manifests) checkApplicable(manifest, session);
  return forEachOf(session, manifests, (manifest) =>
    options.force === true ? anew(session, manifest, options) : replaceOne(session, manifest, options),
  );
}

/** Against others that write meanwhile: the manifest goes before whatever they say. */
const attempts = 10;

async function replaceOne(session: Session, manifest: Manifest, flags: ReplaceFlags): Promise<void> {
  const { kind, name } = manifest;
  const object = placed(session, manifest);
  const client = session.client();
  const namespace = object.metadata?.namespace ?? '';
  const pinned = object.metadata?.resourceVersion ?? '';
  for (let attempt = 1; ; attempt++) {
    const resourceVersion = pinned || ((await client.get(kind, { namespace, name })).metadata?.resourceVersion ?? '');
    const next = { ...object, metadata: object.metadata && { ...object.metadata, resourceVersion } };
    try {
      const after =
        flags.subresource === 'status'
          ? await client.updateStatus(kind, next, writeOptions(flags))
          : await client.update(kind, next, writeOptions(flags));
      return printResult(session, { kind, object: after, done: 'replaced' }, flags);
    } catch (error) {
      if (pinned !== '' || attempt === attempts || !isApiError(error, 'Conflict')) throw error;
    }
  }
}

async function anew(session: Session, manifest: Manifest, flags: ReplaceFlags): Promise<void> {
  const { kind, name } = manifest;
  const object = placed(session, manifest);
  const namespace = object.metadata?.namespace ?? '';
  if (isDryRun(flags)) return printResult(session, { kind, object, done: 'replaced' }, flags);
  const { gracePeriod, timeout } = flags;
  try {
    const { object: before, gone } = await session.client().delete(
      kind,
      { namespace, name },
      {
        propagation: DeleteRequest_Propagation.BACKGROUND,
        ...(gracePeriod !== undefined && { gracePeriodSeconds: gracePeriod }),
      },
    );
    if (flags.output === undefined) session.print(`${typeName(kind)} "${name}" deleted\n`);
    const uid = before.metadata?.uid ?? '';
    if (!gone) await waitGone(session, [{ kind, namespace, name, uid }], timeout);
  } catch (error) {
    if (!isApiError(error, 'NotFound')) throw error;
  }
  const fresh = object.metadata && { ...object.metadata, resourceVersion: '', uid: '' };
  const after = await session.client().create(kind, { ...object, metadata: fresh }, writeOptions(flags));
  printResult(session, { kind, object: after, done: 'replaced' }, flags);
}

function placed(session: Session, { kind, object }: Manifest): KubeObject {
  const { metadata } = object;
  return {
    ...object,
    metadata: metadata && { ...metadata, namespace: metadata.namespace || namespaceOf(session, kind) },
  };
}
