import { pod as podKind } from '@navarch/kinds';
import { escapeFieldValue, type Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { Command, Option } from 'commander';
import { chooseNodes, type NodeChoice } from '../nodes/choose-nodes.ts';
import { drainable, type DrainRules } from '../nodes/drainable.ts';
import { evictPods } from '../nodes/evict-pods.ts';
import { dryRunNote, dryRunOption, durationMs, isDryRun, selectorOption, wholeNumber } from '../options.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';
import { waitGone } from '../wait-gone.ts';
import { setUnschedulable } from './cordon.ts';

interface DrainOptions extends DrainRules, NodeChoice {
  readonly podSelector?: string;
  readonly disableEviction?: boolean;
  readonly gracePeriod?: number;
  readonly timeout?: number;
  readonly dryRun?: string;
}

export const drainCommand = (run: Runner) =>
  new Command('drain')
    .description('Empty nodes: let them take no new Pods, evict those they have, and wait until they are gone')
    .argument('[node...]')
    .addOption(selectorOption())
    .option('--force', 'evict also Pods that nobody will make again')
    .option('--ignore-daemonsets', 'leave Pods of DaemonSets, which would be made again at once')
    .option('--delete-emptydir-data', 'evict also Pods whose emptyDir volumes are lost with them')
    .option('--disable-eviction', 'delete the Pods without asking disruption budgets')
    .option('--pod-selector <labels>', 'only Pods with these labels: app=web,tier!=test')
    .addOption(
      new Option('--grace-period <seconds>', "how long they have to end; the Pod's own when not given").argParser(
        wholeNumber,
      ),
    )
    .addOption(new Option('--timeout <duration>', 'how long to wait; 0 waits for ever').argParser(durationMs))
    .addOption(dryRunOption())
    .addHelpText(
      'after',
      [
        '\nA Pod that a disruption budget keeps is asked again until the budget lets it go.',
        '\nExample:',
        '  navctl drain n1 --ignore-daemonsets && … && navctl uncordon n1',
      ].join('\n'),
    )
    .action(run(drain));

async function drain(session: Session, names: readonly string[], options: DrainOptions): Promise<number> {
  const dryRun = isDryRun(options);
  const { gracePeriod, timeout = 0, disableEviction = false } = options;
  const until = timeout === 0 ? undefined : session.io.now() + timeout;
  const nodes = await chooseNodes(session, names, options);
  await setUnschedulable(session, nodes, true, options);
  // Before anything moves on the first, what is against it on any.
  const plans = await Promise.all(
    nodes.map(async ({ metadata: { name } }) => ({
      name,
      ...drainable(await podsOn(session, name, options), options),
    })),
  );
  const objections = plans.flatMap(({ name, objections }) => objections.map((each) => `node/${name}: ${each}`));
  if (objections.length > 0) throw new UserError(`nothing is drained:\n  ${objections.join('\n  ')}`);
  let failures = 0;
  for (const { name, going, warnings } of plans) {
    for (const warning of warnings) session.warn(`Warning: ${warning}\n`);
    const gracePeriodSeconds = gracePeriod === undefined || gracePeriod < 0 ? undefined : gracePeriod;
    const evicted = await evictPods(session, going, { gracePeriodSeconds, disableEviction, dryRun, until });
    failures += evicted.failures;
    const leftMs = until === undefined ? undefined : Math.max(0, until - session.io.now());
    if (!dryRun) await waitGone(session, evicted.going, leftMs);
    if (evicted.failures === 0) session.print(`node/${name} drained${dryRunNote(options)}\n`);
  }
  return failures === 0 ? 0 : 1;
}

async function podsOn(session: Session, node: string, { podSelector }: DrainOptions): Promise<readonly Live<Pod>[]> {
  const { items } = await session.client().list(podKind, {
    fieldSelector: `spec.nodeName=${escapeFieldValue(node)}`,
    ...(podSelector === undefined ? {} : { labelSelector: podSelector }),
  });
  return items;
}
