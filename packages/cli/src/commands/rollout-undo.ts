import { isDeepStrictEqual } from 'node:util';
import { encodeObject, type JsonObject, messageSchema } from '@navarch/machinery';
import { PatchRequest_Type, type PodTemplateSpec } from '@navarch/proto';
import { Command, Option } from 'commander';
import { type ChoiceOptions, chooseObjects, type Chosen, forEachOf, withChoice } from '../choose-objects.ts';
import {
  dryRunNote,
  dryRunOption,
  fieldManagerOption,
  wholeNumber,
  type WriteFlags,
  writeOptions,
} from '../options.ts';
import { objectName } from '../resource-args.ts';
import { afterChange, type WaitFlags, withWait } from '../rollout/after-change.ts';
import { findRevisions, pickRevision } from '../rollout/revisions.ts';
import { rolloutKindOf } from '../rollout/rollout-kinds.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';

type UndoFlags = ChoiceOptions & WriteFlags & WaitFlags & { readonly toRevision: number };

export const rolloutUndoCommand = (run: Runner) =>
  withWait(
    withChoice(new Command('undo'))
      .description('Go back to an earlier revision of the Pod template')
      .addOption(
        new Option('--to-revision <number>', 'to this one; the one before when 0').argParser(wholeNumber).default(0),
      )
      .addOption(dryRunOption())
      .addOption(fieldManagerOption()),
  )
    .addHelpText(
      'after',
      '\n`navctl rollout history` shows which revisions there are.\n\nExamples:\n  navctl rollout undo deploy/web\n  navctl rollout undo deploy/web --to-revision=2 --wait',
    )
    .action(
      run(async (session, args: readonly string[], flags: UndoFlags) =>
        forEachOf(session, await chooseObjects(session, args, flags), (chosen) => undo(session, chosen, flags)),
      ),
    );

async function undo(session: Session, chosen: Chosen, flags: UndoFlags): Promise<void> {
  const { namespace, name } = chosen;
  const rollout = rolloutKindOf(chosen.kind);
  const { kind } = rollout;
  const object = await session.client().get(kind, { namespace, name });
  const { paused, template } = rollout.facts(object);
  if (paused) {
    throw new UserError(
      `${kind.singular} "${name}" is paused; resume it first: navctl rollout resume ${kind.singular}/${name}`,
    );
  }
  const revisions = await findRevisions(session, rollout, object);
  const wanted = flags.toRevision > 0 ? pickRevision(revisions, flags.toRevision, rollout, name) : revisions.at(-2);
  if (wanted === undefined) {
    throw new UserError(`no rollout history found for ${kind.singular} "${name}": it has had no other template yet`);
  }
  const { revision } = wanted;
  const before = templateJson(revision.template);
  if (template !== undefined && isDeepStrictEqual(before, templateJson(template))) {
    session.print(
      `${objectName(kind, name)} skipped rollback (current template already matches revision ${revision.number})\n`,
    );
    return;
  }
  const patch = JSON.stringify([
    { op: 'test', path: '/metadata/resourceVersion', value: object.metadata.resourceVersion },
    { op: 'replace', path: '/spec/template', value: before },
    ...causePatch(object.metadata.annotations, revision.cause),
  ]);
  await session.client().patch(kind, { namespace, name }, { type: PatchRequest_Type.JSON, patch }, writeOptions(flags));
  session.print(`${objectName(kind, name)} rolled back${dryRunNote(flags)}\n`);
  await afterChange(session, chosen, flags);
}

const causeKey = 'kubernetes.io/change-cause';

/** The old template comes with what was said of it then. */
function causePatch(annotations: Readonly<Record<string, string>>, cause: string): readonly object[] {
  const path = `/metadata/annotations/${causeKey.replace('/', '~1')}`;
  if ((annotations[causeKey] ?? '') === cause) return [];
  if (cause === '') return [{ op: 'remove', path }];
  const isFirst = Object.keys(annotations).length === 0;
  return [
    ...(isFirst ? [{ op: 'add', path: '/metadata/annotations', value: {} }] : []),
    { op: 'add', path, value: cause },
  ];
}

function templateJson(template: PodTemplateSpec): JsonObject {
  return encodeObject(messageSchema('navarch.core.v1.PodTemplateSpec'), template);
}
