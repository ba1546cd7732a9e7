import { schemaOf } from '@navarch/kinds';
import { closest, explain as explainField } from '@navarch/machinery';
import { Command } from 'commander';
import type { Runner } from '../runner.ts';
import { kindNamed } from '../resource-args.ts';
import { type Session, UserError } from '../session.ts';

export const explainCommand = (run: Runner) =>
  new Command('explain')
    .description('Tell what a type or a field is')
    .argument('<type>', 'a type, or a field of it: pods.spec.containers')
    .option('--recursive', 'all fields below, without descriptions')
    .addHelpText('after', '\nExamples:\n  navctl explain deployment\n  navctl explain pods.spec.containers.resources')
    .action(run(explain));

function explain(session: Session, text: string, { recursive }: { recursive?: boolean }): void {
  const { type, path } = split(text);
  const kind = kindNamed(type);
  const explained = { kind: kind.kind, apiVersion: kind.apiVersion, schema: schemaOf(kind) };
  const result = explainField(explained, path, recursive);
  if (result.text !== undefined) {
    session.print(result.text);
    return;
  }
  const missing = path[result.known.length] ?? '';
  const guess = closest(missing, result.fields);
  const hint = guess === undefined ? `it has ${result.fields.join(', ') || 'no fields'}` : `did you mean "${guess}"?`;
  throw new UserError(`${[type, ...result.known].join('.')} has no field "${missing}"; ${hint}`);
}

/** The type may hold dots itself: deployments.apps.spec. */
function split(text: string): { type: string; path: readonly string[] } {
  const parts = text.split('.');
  for (let length = parts.length; length > 1; length--) {
    const type = parts.slice(0, length).join('.');
    try {
      kindNamed(type);
      return { type, path: parts.slice(length) };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  }
  return { type: parts[0] ?? '', path: parts.slice(1) };
}
