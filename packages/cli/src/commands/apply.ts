import type { ApplyFields } from '@navarch/client';
import { FieldValidation } from '@navarch/proto';
import { Command, Option } from 'commander';
import { applyTogether, resultText } from '../apply-together.ts';
import { forEachOf } from '../choose-objects.ts';
import { errorText } from '../errors.ts';
import { type FileOptions, type Manifest, readManifests } from '../manifests.ts';
import {
  dryRunNote,
  dryRunOption,
  fieldManagerOption,
  filenameOption,
  isDryRun,
  recursiveOption,
  type Strictness,
  strictnessOf,
  validateOption,
  type WriteFlags,
  writeOptions,
} from '../options.ts';
import { checkPlan, planManifests } from '../plan-manifests.ts';
import { type WaitFlags, withWait } from '../rollout/after-change.ts';
import { followRollout } from '../rollout/follow.ts';
import { hasRollouts } from '../rollout/rollout-kinds.ts';
import type { Runner } from '../runner.ts';
import { objectName } from '../resource-args.ts';
import { type Session, UserError } from '../session.ts';

interface ApplyFlags extends FileOptions, WriteFlags, WaitFlags {
  readonly dryRun?: string;
  readonly atomic?: boolean;
  readonly forceConflicts?: boolean;
  readonly validate?: string;
  readonly plan?: string;
}

export const applyCommand = (run: Runner) =>
  withWait(new Command('apply'))
    .description('Make real what manifests say')
    .addOption(filenameOption().makeOptionMandatory())
    .addOption(recursiveOption())
    .addOption(dryRunOption())
    .option('--atomic', 'all of them or none: one transaction of at most 100 objects')
    .option('--plan <hash|file>', 'only if what becomes of Pods is what navctl plan said')
    .addOption(validateOption())
    .option('--force-conflicts', 'take fields that others have set to other values')
    .addOption(fieldManagerOption())
    .addOption(new Option('--server-side [yes]', 'how apply works anyway').hideHelp())
    .addHelpText(
      'after',
      '\nExamples:\n  navctl apply -f examples/nginx/\n  cat pod.yaml | navctl apply -f -\n  navctl apply -f web.yaml --wait --timeout=2m',
    )
    .action(run(apply));

async function apply(session: Session, options: ApplyFlags): Promise<number> {
  const strictness = strictnessOf(options);
  const manifests = await readManifests(session, options, strictness);
  for (const manifest of manifests) checkApplicable(manifest, session);
  if (options.plan !== undefined) await checkPlanned(session, manifests, options, options.plan);
  const optionsFor = ({ hasUnknown }: Manifest): ApplyFields => ({
    namespace: session.namespace,
    force: options.forceConflicts === true,
    // What was told with its place in the file need not be told again by the api.
    fieldValidation: hasUnknown ? FieldValidation.IGNORE : validation[strictness],
  });
  const code =
    options.atomic === true
      ? await applyTogether(session, neededFirst(manifests), { flags: options, optionsFor })
      : await applyEach(session, neededFirst(manifests), options, optionsFor);
  if (code !== 0 || options.wait !== true || isDryRun(options)) return code;
  const rolling = manifests.filter(({ kind }) => hasRollouts(kind));
  if (rolling.length === 0) return code;
  return forEachOf(session, rolling, ({ kind, name, object }) => {
    const namespace = object.metadata?.namespace || session.namespace;
    return followRollout(session, { kind, name, namespace }, { timeoutMs: options.timeout });
  });
}

async function checkPlanned(
  session: Session,
  manifests: readonly Manifest[],
  { forceConflicts = false, fieldManager }: ApplyFlags,
  plan: string,
): Promise<void> {
  await checkPlan(plan, await planManifests(session, neededFirst(manifests), { force: forceConflicts, fieldManager }));
}

async function applyEach(
  session: Session,
  manifests: readonly Manifest[],
  options: ApplyFlags,
  optionsFor: (manifest: Manifest) => ApplyFields,
): Promise<number> {
  let failures = 0;
  for (const manifest of manifests) {
    const { kind, json, name, place } = manifest;
    try {
      const { result } = await session.client().apply(JSON.stringify(json), {
        ...writeOptions(options),
        ...optionsFor(manifest),
      });
      session.print(`${objectName(kind, name)} ${resultText[result]}${dryRunNote(options)}\n`);
    } catch (error) {
      failures++;
      session.warn(`${place} ${objectName(kind, name)}: ${errorText(error, session.server)}\n`);
    }
  }
  return failures === 0 ? 0 : 1;
}

const validation: Readonly<Record<Strictness, FieldValidation>> = {
  strict: FieldValidation.STRICT,
  warn: FieldValidation.WARN,
  ignore: FieldValidation.IGNORE,
};

/** Refuses what apply can't do, before anything is sent. */
export function checkApplicable({ object, name, place }: Manifest, session: Session): void {
  if (name === '') {
    throw new UserError(`${place} metadata.name: must be set; apply can't use generateName (navctl create -f can)`);
  }
  checkNamespace({ object, place }, session);
}

export function checkNamespace({ object, place }: Pick<Manifest, 'object' | 'place'>, session: Session): void {
  const namespace = object.metadata?.namespace ?? '';
  if (!session.namespaceGiven || namespace === '' || namespace === session.namespace) return;
  throw new UserError(`${place} metadata.namespace: is "${namespace}", but --namespace says "${session.namespace}"`);
}

/** What lives in a namespace needs it to be there, and an object its kind, wherever in the files they stand. */
export function neededFirst(manifests: readonly Manifest[]): readonly Manifest[] {
  const rank = ({ kind }: Manifest) => ['namespace', 'customResourceDefinition', kind.case].indexOf(kind.case);
  return manifests.toSorted((a, b) => rank(a) - rank(b));
}
