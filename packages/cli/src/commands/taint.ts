import { node as nodeKind } from '@navarch/kinds';
import { isApiError, type Live } from '@navarch/machinery';
import { type Node, PatchRequest_Type, Taint } from '@navarch/proto';
import { Command } from 'commander';
import { chooseNodes, type NodeChoice } from '../nodes/choose-nodes.ts';
import { changedTaints, isTaintChange, readTaintChanges, type TaintChanges } from '../nodes/taint-changes.ts';
import {
  dryRunNote,
  dryRunOption,
  fieldManagerOption,
  selectorOption,
  type WriteFlags,
  writeOptions,
} from '../options.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';

interface TaintOptions extends WriteFlags, NodeChoice {
  readonly overwrite?: boolean;
}

/** Against controllers that write the node meanwhile. */
const attempts = 10;

export const taintCommand = (run: Runner) =>
  new Command('taint')
    .description("Keep Pods off nodes that don't tolerate it, or no longer")
    .argument('<nodes…>', 'nodes NAME…, or nodes with -l or --all')
    .argument('[change...]', 'key=value:effect or key:effect to set; key:effect- or key- to remove')
    .addOption(selectorOption())
    .option('--all', 'all nodes')
    .option('--overwrite', 'change those that have another value already')
    .addOption(dryRunOption())
    .addOption(fieldManagerOption())
    .addHelpText(
      'after',
      [
        '\nEffects: NoSchedule lets no new Pods in, PreferNoSchedule only where there is no better place, NoExecute also ends',
        'Pods that are there.',
        '\nExamples:',
        '  navctl taint nodes n1 dedicated=db:NoSchedule',
        '  navctl taint nodes n1 dedicated:NoSchedule-',
        '  navctl taint nodes -l disk=hdd slow:PreferNoSchedule',
      ].join('\n'),
    )
    .action(
      run((session, first: string, rest: readonly string[], options: TaintOptions) =>
        taint(session, [first, ...rest], options),
      ),
    );

async function taint(session: Session, args: readonly string[], options: TaintOptions): Promise<void> {
  const [type = '', ...more] = args;
  if (!/^(nodes?|no)(\/.+)?$/.test(type)) throw new UserError(`only nodes have taints: navctl taint nodes ${type} …`);
  const named = more.filter((text) => !isTaintChange(text));
  const names = type.includes('/') ? [type, ...named] : named;
  const changes = readTaintChanges(more.filter(isTaintChange));
  if (changes.add.length + changes.remove.length === 0) {
    throw new UserError('say what to change: key=value:NoSchedule, or key:NoSchedule- to remove it');
  }
  for (const node of await chooseNodes(session, names, options)) {
    await retaint(session, node, changes, options);
    session.print(`node/${node.metadata.name} ${doneBy(changes)}${dryRunNote(options)}\n`);
  }
}

/** The version that was looked at, so that nobody else's change is overwritten unseen. */
async function retaint(
  session: Session,
  seen: Live<Node>,
  changes: TaintChanges,
  options: TaintOptions,
): Promise<void> {
  const { name } = seen.metadata;
  for (let latest = seen, attempt = 1; ; attempt++) {
    const { resourceVersion } = latest.metadata;
    const taints = changedTaints(name, latest.spec.taints, changes, options.overwrite === true);
    const patch = JSON.stringify({
      metadata: { resourceVersion },
      spec: { taints: taints.map((each) => Taint.toJSON(each)) },
    });
    try {
      await session.client().patch(nodeKind, { name }, { type: PatchRequest_Type.MERGE, patch }, writeOptions(options));
      return;
    } catch (error) {
      if (!isApiError(error, 'Conflict') || attempt === attempts) throw error;
      latest = await session.client().get(nodeKind, { name });
    }
  }
}

function doneBy({ add, remove }: TaintChanges): string {
  if (add.length === 0) return 'untainted';
  return remove.length === 0 ? 'tainted' : 'modified';
}
