import { Command, Option } from 'commander';
import {
  dryRunNote,
  dryRunOption,
  fieldManagerOption,
  wholeNumber,
  type WriteFlags,
  writeOptions,
} from '../options.ts';
import type { Runner } from '../runner.ts';
import { objectName, parseNamedTargets } from '../resource-args.ts';
import { namespaceOf, type Session, UserError } from '../session.ts';

interface ScaleOptions extends WriteFlags {
  readonly replicas: number;
  readonly currentReplicas?: number;
}

export const scaleCommand = (run: Runner) =>
  new Command('scale')
    .description('Set how many Pods a Deployment or ReplicaSet keeps')
    .argument('<target...>', 'TYPE/NAME… or TYPE NAME…')
    .addOption(new Option('--replicas <count>', 'how many').argParser(wholeNumber).makeOptionMandatory())
    .addOption(new Option('--current-replicas <count>', 'only if there are as many now').argParser(wholeNumber))
    .addOption(dryRunOption())
    .addOption(fieldManagerOption())
    .addHelpText('after', '\nExample:\n  navctl scale deploy/web --replicas=5')
    .action(run(scale));

async function scale(session: Session, args: readonly string[], options: ScaleOptions): Promise<void> {
  if (options.replicas < 0) throw new UserError('--replicas must not be negative');
  const { replicas, currentReplicas } = options;
  for (const { kind, name } of await parseNamedTargets(session, args)) {
    if (kind.scale === undefined) {
      throw new UserError(`${kind.plural} have no replicas; Deployments and ReplicaSets do`);
    }
    const key = { namespace: namespaceOf(session, kind), name };
    await session.client().updateScale(kind, key, replicas, {
      ...writeOptions(options),
      ...(currentReplicas === undefined ? {} : { currentReplicas }),
    });
    session.print(`${objectName(kind, name)} scaled${dryRunNote(options)}\n`);
  }
}
