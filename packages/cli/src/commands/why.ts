import { pod as podKind } from '@navarch/kinds';
import { isApiError } from '@navarch/machinery';
import { Command } from 'commander';
import { placementText } from '../print/placement.ts';
import { whyText } from '../print/why.ts';
import { objectName, parseNamedTargets } from '../resource-args.ts';
import type { Runner } from '../runner.ts';
import { namespaceOf, type Session } from '../session.ts';

export const whyCommand = (run: Runner) =>
  new Command('why')
    .description('Say why a Pod is where it is or waits, what keeps objects from going, and what goes with them')
    .argument('<target...>', 'TYPE/NAME… or TYPE NAME…')
    .addHelpText('after', '\nExamples:\n  navctl why pod/web-1\n  navctl why namespace/shop')
    .action(run(explain));

async function explain(session: Session, args: readonly string[]): Promise<number> {
  let told = 0;
  let code = 0;
  for (const { kind, name } of await parseNamedTargets(session, args)) {
    const key = { namespace: namespaceOf(session, kind), name };
    const answer = await session.client().why(kind, key);
    session.print(told++ > 0 ? '\n' : '');
    // Of a Pod that is going, where it is no longer matters.
    if (kind.case === podKind.case && answer.deletionTimestamp === '') {
      if (!(await explainPlacement(session, key))) code = 1;
      session.print('\n');
    }
    session.print(whyText(objectName(kind, name), answer, session.io.now()));
  }
  return code;
}

/** False when nobody could say. */
async function explainPlacement(session: Session, key: { namespace: string; name: string }): Promise<boolean> {
  try {
    session.print(placementText(objectName(podKind, key.name), await session.client().planning.explain(key)));
    return true;
  } catch (error) {
    if (!isApiError(error, 'Unavailable', 'TooManyRequests', 'Unimplemented')) throw error;
    session.warn(`Warning: why it is where it is, nobody can say now: ${error.message}\n`);
    return false;
  }
}
