import { node as nodeKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import { type Node, PatchRequest_Type } from '@navarch/proto';
import { Command } from 'commander';
import { chooseNodes, type NodeChoice } from '../nodes/choose-nodes.ts';
import { dryRunNote, dryRunOption, isDryRun, selectorOption } from '../options.ts';
import type { Runner } from '../runner.ts';
import type { Session } from '../session.ts';

interface CordonOptions extends NodeChoice {
  readonly dryRun?: string;
}

export const cordonCommand = (run: Runner) => cordoning(run, 'cordon', 'Let nodes take no new Pods', true);
export const uncordonCommand = (run: Runner) => cordoning(run, 'uncordon', 'Let nodes take Pods again', false);

function cordoning(run: Runner, verb: string, description: string, unschedulable: boolean): Command {
  return new Command(verb)
    .description(description)
    .argument('[node...]')
    .addOption(selectorOption())
    .addOption(dryRunOption())
    .addHelpText('after', `\nExamples:\n  navctl ${verb} n1\n  navctl ${verb} -l disk=hdd`)
    .action(
      run(async (session, names: readonly string[], options: CordonOptions) =>
        setUnschedulable(session, await chooseNodes(session, names, options), unschedulable, options),
      ),
    );
}

export async function setUnschedulable(
  session: Session,
  nodes: readonly Live<Node>[],
  unschedulable: boolean,
  options: { readonly dryRun?: string },
): Promise<void> {
  const done = unschedulable ? 'cordoned' : 'uncordoned';
  const patch = JSON.stringify({ spec: { unschedulable } });
  for (const { metadata, spec } of nodes) {
    const { name } = metadata;
    const already = spec.unschedulable === unschedulable;
    if (!already) {
      const change = { type: PatchRequest_Type.MERGE, patch };
      await session.client().patch(nodeKind, { name }, change, { dryRun: isDryRun(options) });
    }
    session.print(`node/${name} ${already ? 'already ' : ''}${done}${dryRunNote(options)}\n`);
  }
}
