import { Command } from 'commander';
import { whyText } from '../print/why.ts';
import { objectName, parseNamedTargets } from '../resource-args.ts';
import type { Runner } from '../runner.ts';
import { namespaceOf, type Session } from '../session.ts';

export const whyCommand = (run: Runner) =>
  new Command('why')
    .description('Say what keeps objects from going, and what goes with them')
    .argument('<target...>', 'TYPE/NAME… or TYPE NAME…')
    .addHelpText('after', '\nExample:\n  navctl why namespace/shop')
    .action(run(explainDeletion));

async function explainDeletion(session: Session, args: readonly string[]): Promise<void> {
  let told = 0;
  for (const { kind, name } of await parseNamedTargets(session, args)) {
    const answer = await session.client().why(kind, { namespace: namespaceOf(session, kind), name });
    session.print(`${told++ > 0 ? '\n' : ''}${whyText(objectName(kind, name), answer, session.io.now())}`);
  }
}
