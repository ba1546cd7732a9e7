import { node } from '@navarch/kinds';
import { PatchRequest_Type } from '@navarch/proto';
import { Command } from 'commander';
import type { Runner } from '../runner.ts';
import type { Session } from '../session.ts';

export const cordonCommand = (run: Runner) =>
  new Command('cordon')
    .description('Let a node take no new Pods')
    .argument('<node...>')
    .addHelpText('after', '\nExample:\n  navctl cordon n1')
    .action(run((session, names: readonly string[]) => setUnschedulable(session, names, true)));

export const uncordonCommand = (run: Runner) =>
  new Command('uncordon')
    .description('Let a node take Pods again')
    .argument('<node...>')
    .addHelpText('after', '\nExample:\n  navctl uncordon n1')
    .action(run((session, names: readonly string[]) => setUnschedulable(session, names, false)));

export async function setUnschedulable(
  session: Session,
  names: readonly string[],
  unschedulable: boolean,
  dryRun = false,
): Promise<void> {
  for (const name of names) {
    const patch = JSON.stringify({ spec: { unschedulable } });
    await session.client().patch(node, { name }, { type: PatchRequest_Type.MERGE, patch }, { dryRun });
    const done = unschedulable ? 'cordoned' : 'uncordoned';
    session.print(`node/${name} ${done}${dryRun ? ' (server dry run)' : ''}\n`);
  }
}
