import { readFile } from 'node:fs/promises';
import type { PlanResponse } from '@navarch/proto';
import type { Manifest } from './manifests.ts';
import { type PlanJson, planJson, planLines } from './print/plan.ts';
import { type Session, UserError } from './session.ts';

/** More lines of what differs are not shown. */
const mostLines = 20;

/** What would become of Pods if the manifests were applied. */
export function planManifests(
  session: Session,
  manifests: readonly Manifest[],
  options: { readonly force: boolean; readonly fieldManager?: string | undefined },
): Promise<PlanResponse> {
  const value = {
    manifests: manifests.map(({ json }) => JSON.stringify(json)),
    namespace: session.namespace,
    fieldManager: options.fieldManager ?? 'navctl',
    force: options.force,
  };
  return session.client().planning.plan({ $case: 'apply', value });
}

/**
 * Throws UserError where the cluster's answer is no longer that of the plan, which is given by its hash or as a file that
 * `navctl plan -o json` wrote.
 */
export async function checkPlan(plan: string, now: PlanResponse): Promise<void> {
  const before = await planOf(plan);
  if (before.hash === now.hash) {
    if (now.refusals.length === 0) return;
    throw new UserError(
      `nothing was applied: the plan has manifests that are refused:\n  ${now.refusals.join('\n  ')}`,
    );
  }
  const [question] = before.hash.split('-');
  if (question !== now.hash.split('-')[0]) {
    throw new UserError(
      'nothing was applied: the plan is not of these manifests (or of another namespace, or without --force-conflicts); plan again',
    );
  }
  const lines = 'pods' in before ? differences(planLines(before), planLines(planJson(now))) : planLines(planJson(now));
  const told = lines.slice(0, mostLines).join('\n  ');
  const more = lines.length > mostLines ? `\n  … and ${lines.length - mostLines} more` : '';
  const what = 'pods' in before ? 'What differs' : 'It would be now';
  throw new UserError(
    `nothing was applied: since the plan was made, the cluster's answer has changed. ${what}:\n  ${told}${more}\nplan again, and apply with ${now.hash} if that is what you want`,
  );
}

const hashPattern = /^[0-9a-f]{12}-[0-9a-f]{20}$/;

async function planOf(text: string): Promise<PlanJson | Pick<PlanJson, 'hash'>> {
  if (hashPattern.test(text)) return { hash: text };
  try {
    const parsed: unknown = JSON.parse(await readFile(text, 'utf8'));
    if (isPlan(parsed)) return parsed;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError(
      `--plan: "${text}" is no plan's hash, and can't be read as a file of navctl plan -o json: ${why}`,
    );
  }
  throw new UserError(`--plan: ${text} is not what navctl plan -o json writes`);
}

function isPlan(value: unknown): value is PlanJson {
  return (
    typeof value === 'object' &&
    value !== null &&
    'hash' in value &&
    typeof value.hash === 'string' &&
    hashPattern.test(value.hash) &&
    ['pods', 'warnings', 'refusals'].every((key) => Array.isArray((value as Record<string, unknown>)[key])) // an object
  );
}

function differences(before: readonly string[], now: readonly string[]): readonly string[] {
  return [
    ...before.filter((line) => !now.includes(line)).map((line) => `- ${line}`),
    ...now.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
  ];
}
