import type { KubeObject } from '@navarch/machinery';
import { Command } from 'commander';
import { describeObject } from '../describe/describe.ts';
import { type FileOptions, readManifests } from '../manifests.ts';
import { allNamespacesOption, filenameOption, recursiveOption, selectorOption } from '../options.ts';
import type { Runner } from '../runner.ts';
import { parseTargets, type Target } from '../resource-args.ts';
import { namespaceOf, type Session } from '../session.ts';

interface DescribeOptions extends Partial<FileOptions> {
  readonly selector?: string;
  readonly allNamespaces?: boolean;
}

export const describeCommand = (run: Runner) =>
  new Command('describe')
    .description('Show all about objects, and what happened to them')
    .argument('[target...]', 'TYPE, TYPE NAME… or TYPE/NAME…')
    .addOption(filenameOption())
    .addOption(recursiveOption())
    .addOption(selectorOption())
    .addOption(allNamespacesOption())
    .addHelpText(
      'after',
      '\nExamples:\n  navctl describe pod web\n  navctl describe deploy/web svc/web\n  navctl describe pods -l app=web',
    )
    .action(run(describe));

async function describe(session: Session, args: readonly string[], options: DescribeOptions): Promise<void> {
  const { filename, recursive = false } = options;
  const targets: readonly Target[] =
    filename === undefined
      ? await parseTargets(session, args)
      : await readManifests(session, { filename, recursive }, 'names');
  let described = 0;
  for (const target of targets) {
    for (const object of await find(session, target, options)) {
      session.print(`${described++ > 0 ? '\n\n' : ''}${await describeObject(session, target.kind, object)}`);
    }
  }
  if (described === 0) session.warn(`No resources found in ${session.namespace} namespace.\n`);
}

async function find(
  session: Session,
  { kind, name }: Target,
  { selector, allNamespaces }: DescribeOptions,
): Promise<readonly KubeObject[]> {
  const namespace = namespaceOf(session, kind);
  if (name !== undefined) return [await session.client().get(kind, { namespace, name })];
  const { items } = await session.client().list(kind, {
    namespace: allNamespaces === true ? '' : namespace,
    ...(selector === undefined ? {} : { labelSelector: selector }),
  });
  return items;
}
