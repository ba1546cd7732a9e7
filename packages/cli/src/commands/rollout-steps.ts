import { deployment, releaseRecords } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { type Deployment, PatchRequest_Type } from '@navarch/proto';
import { Command } from 'commander';
import { type ChoiceOptions, chooseObjects, type Chosen, forEachOf, withChoice } from '../choose-objects.ts';
import { dryRunNote, dryRunOption, fieldManagerOption, type WriteFlags, writeOptions } from '../options.ts';
import { objectName } from '../resource-args.ts';
import { afterChange, type WaitFlags, withWait } from '../rollout/after-change.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';
import { goBackTo } from './rollout-undo.ts';

type PromoteFlags = ChoiceOptions & WriteFlags & WaitFlags & { readonly full?: boolean };
type AbortFlags = ChoiceOptions & WriteFlags & WaitFlags;

export const promoteCommand = (run: Runner) =>
  withWait(
    withChoice(new Command('promote'))
      .description('Let a rollout by steps go on to its next step')
      .option('--full', 'past all steps')
      .addOption(dryRunOption())
      .addOption(fieldManagerOption()),
  )
    .addHelpText(
      'after',
      '\nThe steps are those of the annotation navarch.io/canary.\n\nExamples:\n  navctl rollout promote deploy/web\n  navctl rollout promote deploy/web --full --wait',
    )
    .action(
      run(async (session, args: readonly string[], flags: PromoteFlags) =>
        forEachOf(session, await chooseObjects(session, args, flags), (chosen) => promote(session, chosen, flags)),
      ),
    );

export const abortCommand = (run: Runner) =>
  withWait(
    withChoice(new Command('abort'))
      .description('Give a rollout up: back to the last revision whose Pods were all available')
      .addOption(dryRunOption())
      .addOption(fieldManagerOption()),
  )
    .addHelpText('after', '\nExamples:\n  navctl rollout abort deploy/web')
    .action(
      run(async (session, args: readonly string[], flags: AbortFlags) =>
        forEachOf(session, await chooseObjects(session, args, flags), (chosen) => abort(session, chosen, flags)),
      ),
    );

async function promote(session: Session, chosen: Chosen, flags: PromoteFlags): Promise<void> {
  const { metadata, status } = await deploymentOf(session, chosen);
  const { namespace, name } = metadata;
  const canary = status.release?.canary;
  if (canary === undefined || canary.done >= canary.steps || canary.replicaSet === '') {
    throw new UserError(`deployment "${name}" has no rollout by steps that could be promoted`);
  }
  const { replicaSet, done } = canary;
  const promoted = `${replicaSet}/${flags.full === true ? 'all' : done + 1}`;
  const patch = JSON.stringify({ metadata: { annotations: { [releaseRecords.promoted]: promoted } } });
  await session
    .client()
    .patch(deployment, { namespace, name }, { type: PatchRequest_Type.MERGE, patch }, writeOptions(flags));
  const where = flags.full === true ? 'past all of its steps' : `past step ${done + 1} of ${canary.steps}`;
  session.print(`${objectName(deployment, name)} promoted ${where}${dryRunNote(flags)}\n`);
  await afterChange(session, chosen, flags);
}

async function abort(session: Session, chosen: Chosen, flags: AbortFlags): Promise<void> {
  const { metadata, status } = await deploymentOf(session, chosen);
  const lastGood = status.release?.lastGood ?? '';
  if (lastGood === '') {
    throw new UserError(`deployment "${metadata.name}" has no revision to go back to: none was ever fully available`);
  }
  await goBackTo(session, chosen, flags, {
    choose: (revisions) => revisions.find(({ record }) => record.metadata.name === lastGood),
    done: 'aborted',
    isThere: (number) => `has no rollout to abort: revision ${number} runs, the last that was fully available`,
  });
}

async function deploymentOf(session: Session, { kind, namespace, name }: Chosen): Promise<Live<Deployment>> {
  if (kind.case !== deployment.case) throw new UserError(`${kind.plural} don't roll out by steps; Deployments do`);
  return session.client().get(deployment, { namespace, name });
}
