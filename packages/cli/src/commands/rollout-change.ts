import { PatchRequest_Type } from '@navarch/proto';
import { Command } from 'commander';
import { type ChoiceOptions, chooseObjects, type Chosen, forEachOf, withChoice } from '../choose-objects.ts';
import { dryRunNote, dryRunOption, fieldManagerOption, type WriteFlags, writeOptions } from '../options.ts';
import { objectName } from '../resource-args.ts';
import { afterChange, type WaitFlags, withWait } from '../rollout/after-change.ts';
import type { RolloutKind } from '../rollout/rollout-kind.ts';
import { rolloutKindOf } from '../rollout/rollout-kinds.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';

type ChangeFlags = ChoiceOptions & WriteFlags & WaitFlags;

/** One way to change how, or what, a workload rolls out. */
interface Change {
  readonly done: string;
  /** Why it can't be; undefined when it can. */
  refuse(rollout: RolloutKind, name: string, paused: boolean): string | undefined;
  spec(now: number): object;
  readonly begins: boolean;
}

const restart: Change = {
  done: 'restarted',
  refuse: ({ kind }, name, paused) =>
    paused
      ? `can't restart paused ${kind.singular} "${name}"; resume it first: navctl rollout resume ${kind.singular}/${name}`
      : undefined,
  // Another time is another template, which rolls out as any other change does.
  spec: (now) => ({ template: { metadata: { annotations: { [restartKey]: new Date(now).toISOString() } } } }),
  begins: true,
};

const restartKey = 'kubectl.kubernetes.io/restartedAt';

const pause: Change = {
  done: 'paused',
  refuse: ({ kind, canPause }, name, paused) => {
    if (!canPause) return `${kind.plural} can't be paused`;
    return paused ? `${kind.plural} "${name}" is already paused` : undefined;
  },
  spec: () => ({ paused: true }),
  begins: false,
};

const resume: Change = {
  done: 'resumed',
  refuse: ({ kind, canPause }, name, paused) => {
    if (!canPause) return `${kind.plural} can't be paused, nor resumed`;
    return paused ? undefined : `${kind.plural} "${name}" is not paused`;
  },
  spec: () => ({ paused: false }),
  begins: true,
};

export const restartCommand = (run: Runner) =>
  command(run, 'restart', restart, 'Replace all Pods, step by step, with new ones of the same template');
export const pauseCommand = (run: Runner) =>
  command(run, 'pause', pause, 'Hold the rollout: changes of the template wait until it is resumed');
export const resumeCommand = (run: Runner) => command(run, 'resume', resume, 'Let a paused rollout go on');

function command(run: Runner, name: string, change: Change, description: string): Command {
  const made = withChoice(new Command(name))
    .description(description)
    .addOption(dryRunOption())
    .addOption(fieldManagerOption());
  return (change.begins ? withWait(made) : made)
    .addHelpText(
      'after',
      `\nExamples:\n  navctl rollout ${name} deploy/web\n  navctl rollout ${name} deploy -l app=web`,
    )
    .action(run((session, args: readonly string[], flags: ChangeFlags) => apply(session, args, flags, change)));
}

async function apply(session: Session, args: readonly string[], flags: ChangeFlags, change: Change): Promise<number> {
  return forEachOf(session, await chooseObjects(session, args, flags), (chosen) => one(session, chosen, flags, change));
}

async function one(session: Session, chosen: Chosen, flags: ChangeFlags, change: Change): Promise<void> {
  const { namespace, name } = chosen;
  const rollout = rolloutKindOf(chosen.kind);
  const { kind } = rollout;
  const object = await session.client().get(kind, { namespace, name });
  const refusal = change.refuse(rollout, name, rollout.facts(object).paused);
  if (refusal !== undefined) throw new UserError(refusal);
  const patch = JSON.stringify({ spec: change.spec(session.io.now()) });
  await session
    .client()
    .patch(kind, { namespace, name }, { type: PatchRequest_Type.MERGE, patch }, writeOptions(flags));
  session.print(`${objectName(kind, name)} ${change.done}${dryRunNote(flags)}\n`);
  if (change.begins) await afterChange(session, chosen, flags);
}
