import { type ApplyFields, applyWrite, type WriteOutcome } from '@navarch/client';
import { fromErrorDetail } from '@navarch/machinery';
import { ApplyResponse_Result } from '@navarch/proto';
import { errorText } from './errors.ts';
import type { Manifest } from './manifests.ts';
import { dryRunNote, type WriteFlags, writeOptions } from './options.ts';
import { objectName } from './resource-args.ts';
import { type Session, UserError } from './session.ts';

/** So many writes the api takes in one transaction. */
const mostTogether = 100;

export const resultText = {
  [ApplyResponse_Result.UNSPECIFIED]: 'applied',
  [ApplyResponse_Result.CREATED]: 'created',
  [ApplyResponse_Result.CONFIGURED]: 'configured',
  [ApplyResponse_Result.UNCHANGED]: 'unchanged',
  [ApplyResponse_Result.UNRECOGNIZED]: 'applied',
};

/** Makes real what all manifests say, or nothing of it. */
export async function applyTogether(
  session: Session,
  manifests: readonly Manifest[],
  { flags, optionsFor }: { flags: WriteFlags; optionsFor: (manifest: Manifest) => ApplyFields },
): Promise<number> {
  if (manifests.length > mostTogether) {
    throw new UserError(
      `nothing was sent: --atomic takes at most ${mostTogether} objects, and there are ${manifests.length}; apply them in several sets, or without --atomic`,
    );
  }
  const writes = manifests.map((manifest) => applyWrite(JSON.stringify(manifest.json), optionsFor(manifest)));
  const outcomes = await session.client().transact(writes, { atomic: true, ...writeOptions(flags) });
  const refused = manifests.flatMap((manifest, index) => refusals(session, manifest, outcomes[index]));
  if (refused.length > 0) throw new UserError(`nothing was changed, because:\n  ${refused.join('\n  ')}`);
  for (const [index, { kind, name }] of manifests.entries()) {
    const outcome = outcomes[index];
    const done = (outcome?.ok ? outcome.done : undefined) ?? ApplyResponse_Result.UNSPECIFIED;
    session.print(`${objectName(kind, name)} ${resultText[done]}${dryRunNote(flags)}\n`);
  }
  return 0;
}

/** What is wrong with one manifest, each fault at its place. */
function refusals(
  { server }: Session,
  { kind, name, place, locate }: Manifest,
  outcome: WriteOutcome | undefined,
): readonly string[] {
  if (outcome === undefined || outcome.ok || outcome.blameless === true) return [];
  const { fields } = outcome.error;
  if (fields.length > 0) return fields.map(({ path, message }) => `${locate(path)} ${path}: ${message}`);
  return [`${place} ${objectName(kind, name)}: ${errorText(fromErrorDetail(outcome.error), server)}`];
}
