import type { JsonObject } from '@navarch/machinery';
import { PatchRequest_Type } from '@navarch/proto';
import type { Command } from 'commander';
import { type ChoiceOptions, chooseObjects, type Chosen, forEachOf, withChoice } from '../choose-objects.ts';
import { differs } from '../content.ts';
import { dryRunOption, fieldManagerOption, isDryRun, outputOption, type WriteFlags, writeOptions } from '../options.ts';
import { printResult, type ResultFlags } from '../print/result.ts';
import { afterChange, type WaitFlags, withWait } from '../rollout/after-change.ts';
import type { Session } from '../session.ts';
import { UserError } from '../session.ts';
import { type ContainerOf, podSpecOf } from './pod-spec.ts';

export type SetFlags = ChoiceOptions & WriteFlags & ResultFlags & WaitFlags;

export function withSetFlags(command: Command): Command {
  return withWait(
    withChoice(command).addOption(outputOption()).addOption(dryRunOption()).addOption(fieldManagerOption()),
  );
}

/** What a command does to containers. */
export interface ContainerChange {
  /** What is said of an object that was changed: 'image' for "image updated". */
  readonly what: string;
  /** A strategic patch of the container; undefined to leave it alone. */
  patch(container: ContainerOf): JsonObject | undefined;
  /** Says what is wrong with what the user named; undefined when nothing is. */
  refuse(containers: readonly ContainerOf[]): string | undefined;
}

/**
 * Changes containers of all objects that were chosen. Only what it changes is sent, so that it never stands in the way of what
 * others write in the same moment.
 */
export async function changeContainers(
  session: Session,
  args: readonly string[],
  flags: SetFlags,
  change: ContainerChange,
): Promise<number> {
  const chosen = await chooseObjects(session, args, flags);
  return forEachOf(session, chosen, (one) => changeOne(session, one, flags, change));
}

async function changeOne(session: Session, chosen: Chosen, flags: SetFlags, change: ContainerChange): Promise<void> {
  const { kind, namespace, name } = chosen;
  const object = await session.client().get(kind, { namespace, name });
  const { containers, patchOf } = podSpecOf(kind, object);
  const refusal = change.refuse(containers);
  if (refusal !== undefined) throw new UserError(refusal);
  const lists: Record<string, JsonObject[]> = {};
  for (const container of containers) {
    const patch = change.patch(container);
    if (patch === undefined) continue;
    (lists[container.isInit ? 'initContainers' : 'containers'] ??= []).push({ name: container.name, ...patch });
  }
  const patch = JSON.stringify(patchOf(lists));
  const request = { type: PatchRequest_Type.STRATEGIC, patch };
  const after = await session.client().patch(kind, { namespace, name }, request, writeOptions(flags));
  const changed = isDryRun(flags) || differs(kind, object, after);
  printResult(session, { kind, object: after, done: `${change.what} ${changed ? 'updated' : 'unchanged'}` }, flags);
  if (changed) await afterChange(session, chosen, flags);
}

/** 'there is a, b', for errors. */
export function namesOf(containers: readonly ContainerOf[]): string {
  return `there is ${containers.map(({ name }) => name).join(', ') || 'none'}`;
}
