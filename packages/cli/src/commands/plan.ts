import { isApiError } from '@navarch/machinery';
import type { PlanResponse } from '@navarch/proto';
import { Command, Option } from 'commander';
import { stringify } from 'yaml';
import { errorText } from '../errors.ts';
import { type FileOptions, readManifests } from '../manifests.ts';
import { fieldManagerOption, filenameOption, recursiveOption } from '../options.ts';
import { planManifests } from '../plan-manifests.ts';
import { isIncomplete, planJson, planText } from '../print/plan.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';
import { checkApplicable, neededFirst } from './apply.ts';

interface PlanOptions extends Partial<FileOptions> {
  readonly output?: 'json' | 'yaml';
  readonly forceConflicts?: boolean;
  readonly fieldManager?: string;
}

/** For CI: 0 when all Pods find a node, this when some would wait or something is refused, 2 for errors. */
const incomplete = 1;
const failed = 2;

const output = () => new Option('-o, --output <format>', 'for programs').choices(['json', 'yaml']);

export const planCommand = (run: Runner) => {
  const command = new Command('plan')
    .description('Say what would become of Pods, and where they would be, without changing anything')
    .addOption(filenameOption())
    .addOption(recursiveOption())
    .addOption(output())
    .option('--force-conflicts', 'as if fields were taken that others have set')
    .addOption(fieldManagerOption())
    .addHelpText(
      'after',
      [
        '\nEnds with 0 when all Pods would have a node, 1 when some would wait or something would be refused, 2 when nobody can say.',
        '\nExamples:',
        '  navctl plan -f web.yaml',
        '  navctl plan -f web.yaml -o json > plan.json && navctl apply -f web.yaml --plan plan.json',
        '  navctl plan drain n1',
        '  navctl plan lose zone-a',
      ].join('\n'),
    )
    .action(run((session: Session, options: PlanOptions) => told(session, options, () => ofFiles(session, options))));
  command
    .command('drain')
    .description('As if the node took no new Pods and those it has were evicted, as budgets allow')
    .argument('<node>')
    .addOption(output())
    .addHelpText('after', '\nExample:\n  navctl plan drain n1')
    .action(
      run((session: Session, node: string, options: PlanOptions) =>
        told(session, options, () => of(session, 'drain', node)),
      ),
    );
  command
    .command('lose')
    .description('As if the node, or all nodes of the zone, were gone for good')
    .argument('<node|zone>')
    .addOption(output())
    .addHelpText('after', '\nExamples:\n  navctl plan lose n1\n  navctl plan lose zone-a')
    .action(
      run((session: Session, what: string, options: PlanOptions) =>
        told(session, options, () => of(session, 'lose', what)),
      ),
    );
  return command;
};

function of(session: Session, change: 'drain' | 'lose', value: string): Promise<PlanResponse> {
  return session.client().planning.plan({ $case: change, value });
}

async function ofFiles(session: Session, options: PlanOptions): Promise<PlanResponse> {
  if (options.filename === undefined) throw new UserError('plan what? Give -f FILE, drain NODE or lose NODE|ZONE');
  const { filename, recursive = false } = options;
  const manifests = neededFirst(await readManifests(session, { filename, recursive }));
  for (const manifest of manifests) checkApplicable(manifest, session);
  const { forceConflicts = false, fieldManager } = options;
  return await planManifests(session, manifests, { force: forceConflicts, fieldManager });
}

async function told(session: Session, options: PlanOptions, make: () => Promise<PlanResponse>): Promise<number> {
  let plan: PlanResponse;
  try {
    plan = await make();
  } catch (error) {
    session.warn(`${problemText(error, session)}\n`);
    return failed;
  }
  if (options.output === 'json') session.print(`${JSON.stringify(planJson(plan), undefined, 2)}\n`);
  else if (options.output === 'yaml') session.print(stringify(planJson(plan)));
  else session.print(planText(plan));
  return isIncomplete(plan) ? incomplete : 0;
}

function problemText(error: unknown, { server }: Session): string {
  return isApiError(error, 'Unavailable', 'TooManyRequests')
    ? `error: nobody can say now: ${error.message}`
    : errorText(error, server);
}
