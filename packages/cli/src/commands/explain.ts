import { builtinKinds, type KindDefinition } from '@navarch/kinds';
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

async function explain(session: Session, text: string, { recursive }: { recursive?: boolean }): Promise<void> {
  const { type, kind, path } = await split(session, text);
  const explained = { kind: kind.kind, apiVersion: kind.apiVersion, schema: kind.schema };
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
async function split(
  session: Session,
  text: string,
): Promise<{ type: string; kind: KindDefinition; path: readonly string[] }> {
  const parts = text.split('.');
  const lengths = parts.map((_, index) => parts.length - index);
  for (const known of [() => builtinKinds, () => session.kinds()]) {
    const kinds = await known();
    for (const length of lengths) {
      const type = parts.slice(0, length).join('.');
      const kind = kinds.byResource(type);
      if (kind !== undefined) return { type, kind, path: parts.slice(length) };
    }
  }
  const [type = '', ...path] = parts;
  return { type, kind: await kindNamed(session, type), path };
}
