import { builtinKinds, decodeManifest, type KindDefinition } from '@navarch/kinds';
import type { JsonObject, KubeObject } from '@navarch/machinery';
import { manifestProblems } from '../manifests.ts';
import { type WriteFlags, writeOptions } from '../options.ts';
import { printResult, type ResultFlags } from '../print/result.ts';
import { namespaceOf, type Session, UserError } from '../session.ts';

export type NewFlags = WriteFlags & ResultFlags;

/** An object that is made from flags, checked by all rules that need no server. Throws UserError that lists what is wrong. */
export function newObject(json: JsonObject): { readonly kind: KindDefinition; readonly object: KubeObject } {
  const problems = manifestProblems(json, builtinKinds);
  const { kind, object } = decodeManifest(json);
  if (problems.length > 0 || kind === undefined) {
    const lines = problems.map(({ path, message }) => `  ${path}: ${message}`);
    throw new UserError(['nothing was made, because:', ...lines].join('\n'));
  }
  return { kind, object };
}

/**
 * Sends a new object and tells what was `done`. With --dry-run=client nothing is sent, and it is shown as it would be.
 * Undefined when it was not made.
 */
export async function sendNew(
  session: Session,
  json: JsonObject,
  flags: NewFlags,
  done = 'created',
): Promise<KubeObject | undefined> {
  const { kind, object } = newObject(json);
  const { metadata } = object;
  const isLocal = flags.dryRun === 'client';
  const namespace = metadata?.namespace || (isLocal && !session.namespaceGiven ? '' : namespaceOf(session, kind));
  const placed = { ...object, metadata: metadata && { ...metadata, namespace } };
  const made = isLocal ? placed : await session.client().create(kind, placed, writeOptions(flags));
  printResult(session, { kind, object: made, done }, flags);
  return flags.dryRun === undefined || flags.dryRun === 'none' ? made : undefined;
}
