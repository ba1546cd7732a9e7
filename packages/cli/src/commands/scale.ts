import { Command, Option } from 'commander';
import { type ChoiceOptions, chooseObjects, forEachOf, withChoice } from '../choose-objects.ts';
import {
  dryRunNote,
  dryRunOption,
  fieldManagerOption,
  wholeNumber,
  type WriteFlags,
  writeOptions,
} from '../options.ts';
import type { Runner } from '../runner.ts';
import { objectName } from '../resource-args.ts';
import { type Session, UserError } from '../session.ts';

interface ScaleOptions extends ChoiceOptions, WriteFlags {
  readonly replicas: number;
  readonly currentReplicas?: number;
}

export const scaleCommand = (run: Runner) =>
  withChoice(new Command('scale'))
    .description('Set how many Pods a Deployment, StatefulSet or ReplicaSet keeps')
    .addOption(new Option('--replicas <count>', 'how many').argParser(wholeNumber).makeOptionMandatory())
    .addOption(new Option('--current-replicas <count>', 'only if there are as many now').argParser(wholeNumber))
    .addOption(dryRunOption())
    .addOption(fieldManagerOption())
    .addHelpText(
      'after',
      '\nExamples:\n  navctl scale deploy/web --replicas=5\n  navctl scale deploy -l tier=front --replicas=0',
    )
    .action(run(scale));

async function scale(session: Session, args: readonly string[], options: ScaleOptions): Promise<number> {
  const { replicas, currentReplicas } = options;
  if (replicas < 0) throw new UserError('--replicas must not be negative');
  const chosen = await chooseObjects(session, args, options);
  return forEachOf(session, chosen, async ({ kind, namespace, name }) => {
    if (kind.scale === undefined) {
      throw new UserError(`${kind.plural} have no replicas; Deployments, StatefulSets and ReplicaSets do`);
    }
    await session.client().updateScale(kind, { namespace, name }, replicas, {
      ...writeOptions(options),
      ...(currentReplicas === undefined ? {} : { currentReplicas }),
    });
    session.print(`${objectName(kind, name)} scaled${dryRunNote(options)}\n`);
  });
}
