import { parseQuantity } from '@navarch/machinery';
import { Command, Option } from 'commander';
import { readPairs } from '../pairs.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';
import { changeContainers, namesOf, type SetFlags, withSetFlags } from '../set/change-containers.ts';
import { nameMatches } from '../set/pod-spec.ts';

type ResourcesFlags = SetFlags & {
  readonly containers: string;
  readonly limits?: string;
  readonly requests?: string;
};

export const setResourcesCommand = (run: Runner) =>
  withSetFlags(new Command('resources'))
    .description('Set how much containers request, and how much they may use')
    .usage('[options] TYPE/NAME…  --limits=… --requests=…')
    .addOption(new Option('-c, --containers <name>', 'only these; * stands for any letters').default('*'))
    .addOption(new Option('--limits <amounts>', 'the most that may be used: cpu=500m,memory=256Mi'))
    .addOption(new Option('--requests <amounts>', 'what is set aside: cpu=100m,memory=128Mi'))
    .addHelpText(
      'after',
      '\nA resource that is not named stays as it is; 0 stands for none.\n\nExamples:\n  navctl set resources deploy/web --requests=cpu=100m,memory=128Mi --limits=memory=256Mi\n  navctl set resources deploy/web -c nginx --limits=cpu=0',
    )
    .action(run(setResources));

async function setResources(session: Session, args: readonly string[], flags: ResourcesFlags): Promise<number> {
  const limits = readAmounts('--limits', flags.limits);
  const requests = readAmounts('--requests', flags.requests);
  const resources = { ...(limits && { limits }), ...(requests && { requests }) };
  if (Object.keys(resources).length === 0) throw new UserError('say how much: --limits or --requests, or both');
  return changeContainers(session, args, flags, {
    what: 'resource requirements',
    refuse: (containers) =>
      containers.some(({ name }) => nameMatches(flags.containers, name))
        ? undefined
        : `no container is named "${flags.containers}"; ${namesOf(containers)}`,
    patch: ({ name, isInit }) => {
      const isMeant = nameMatches(flags.containers, name) && (!isInit || flags.containers !== '*');
      return isMeant ? { resources } : undefined;
    },
  });
}

function readAmounts(flag: string, text: string | undefined): Record<string, string> | undefined {
  if (text === undefined) return undefined;
  const amounts = readPairs(flag, [text], 'cpu=500m,memory=256Mi');
  for (const [resource, amount] of Object.entries(amounts)) {
    if (parseQuantity(amount) === undefined) {
      throw new UserError(`${flag}: "${amount}" for ${resource} is no quantity such as 500m, 2 or 256Mi`);
    }
  }
  return amounts;
}
