import { Command } from 'commander';
import { errorText } from '../errors.ts';
import { type FileOptions, type Manifest, readManifests } from '../manifests.ts';
import { dryRunOption, filenameOption, isDryRun, recursiveOption } from '../options.ts';
import { applyTogether, resultText } from '../apply-together.ts';
import type { Runner } from '../runner.ts';
import { objectName } from '../resource-args.ts';
import { type Session, UserError } from '../session.ts';

interface ApplyOptions extends FileOptions {
  readonly dryRun?: string;
  readonly atomic?: boolean;
}

export const applyCommand = (run: Runner) =>
  new Command('apply')
    .description('Make real what manifests say')
    .addOption(filenameOption().makeOptionMandatory())
    .addOption(recursiveOption())
    .addOption(dryRunOption())
    .option('--atomic', 'all of them or none: one transaction of at most 100 objects')
    .addHelpText('after', '\nExamples:\n  navctl apply -f examples/nginx/\n  cat pod.yaml | navctl apply -f -')
    .action(run(apply));

async function apply(session: Session, options: ApplyOptions): Promise<number> {
  const manifests = await readManifests(session, options);
  for (const manifest of manifests) checkApplicable(manifest, session);
  const dryRun = isDryRun(options);
  if (options.atomic === true) return await applyTogether(session, neededFirst(manifests), dryRun);
  let failures = 0;
  for (const { kind, json, name, place } of neededFirst(manifests)) {
    try {
      const { result } = await session.client().apply(JSON.stringify(json), { namespace: session.namespace, dryRun });
      session.print(`${objectName(kind, name)} ${resultText[result]}${dryRun ? ' (server dry run)' : ''}\n`);
    } catch (error) {
      failures++;
      session.warn(`${place} ${objectName(kind, name)}: ${errorText(error, session.server)}\n`);
    }
  }
  return failures === 0 ? 0 : 1;
}

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
function neededFirst(manifests: readonly Manifest[]): readonly Manifest[] {
  const rank = ({ kind }: Manifest) => ['namespace', 'customResourceDefinition', kind.case].indexOf(kind.case);
  return manifests.toSorted((a, b) => rank(a) - rank(b));
}
