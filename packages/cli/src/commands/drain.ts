import { evictWrite } from '@navarch/client';
import { pod as podKind } from '@navarch/kinds';
import { escapeFieldValue, fromErrorDetail, type Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { Command, Option } from 'commander';
import { errorText } from '../errors.ts';
import { dryRunOption, durationMs, isDryRun, wholeNumber } from '../options.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';
import { type Victim, waitGone } from '../wait-gone.ts';
import { setUnschedulable } from './cordon.ts';

interface DrainOptions {
  readonly podSelector?: string;
  readonly force?: boolean;
  readonly deleteEmptydirData?: boolean;
  readonly gracePeriod?: number;
  readonly timeout?: number;
  readonly dryRun?: string;
}

/** So many writes the api takes in one call. */
const mostAtOnce = 100;

export const drainCommand = (run: Runner) =>
  new Command('drain')
    .description('Empty a node: let it take no new Pods, evict those it has, and wait until they are gone')
    .argument('<node...>')
    .option('--force', 'evict also Pods that nobody will make again')
    .option('--delete-emptydir-data', 'evict also Pods whose emptyDir volumes are lost with them')
    .option('--pod-selector <labels>', 'only Pods with these labels: app=web,tier!=test')
    .addOption(
      new Option('--grace-period <seconds>', "how long they have to end; the Pod's own when not given").argParser(
        wholeNumber,
      ),
    )
    .addOption(new Option('--timeout <duration>', 'how long to wait').argParser(durationMs))
    .addOption(dryRunOption())
    .addHelpText('after', '\nExample:\n  navctl drain n1 && … && navctl uncordon n1')
    .action(run(drain));

async function drain(session: Session, names: readonly string[], options: DrainOptions): Promise<number> {
  const dryRun = isDryRun(options);
  const { podSelector, gracePeriod, timeout } = options;
  await setUnschedulable(session, names, true, dryRun);
  let failures = 0;
  for (const name of names) {
    const { items } = await session.client().list(podKind, {
      fieldSelector: `spec.nodeName=${escapeFieldValue(name)}`,
      ...(podSelector === undefined ? {} : { labelSelector: podSelector }),
    });
    const objections = objectionsTo(items, options);
    if (objections.length > 0) throw new UserError(`node "${name}" is not drained:\n  ${objections.join('\n  ')}`);
    const grace = gracePeriod === undefined || gracePeriod < 0 ? {} : { gracePeriodSeconds: gracePeriod };
    const evictions = items.map(({ metadata: { namespace, name, uid } }) => ({ namespace, name, uid, ...grace }));
    const going: (Victim & { readonly uid: string })[] = [];
    for (let at = 0; at < evictions.length; at += mostAtOnce) {
      const batch = evictions.slice(at, at + mostAtOnce);
      const outcomes = await session.client().transact(batch.map(evictWrite), { dryRun });
      for (const [index, { namespace, name, uid }] of batch.entries()) {
        const outcome = outcomes[index];
        if (outcome?.ok === true) {
          session.print(`evicting pod ${namespace}/${name}${dryRun ? ' (server dry run)' : ''}\n`);
          going.push({ kind: podKind, namespace, name, uid });
        } else if (outcome !== undefined && outcome.error.reason !== 'NotFound') {
          failures++;
          session.warn(`${errorText(fromErrorDetail(outcome.error), session.server)}\n`);
        }
      }
    }
    if (!dryRun) await waitGone(session, going, timeout);
    if (failures === 0) session.print(`node/${name} drained${dryRun ? ' (server dry run)' : ''}\n`);
  }
  return failures === 0 ? 0 : 1;
}

/** What would be lost, one line for each reason. Pods that have ended, or are asked to go already, lose nothing more. */
function objectionsTo(pods: readonly Live<Pod>[], { force, deleteEmptydirData }: DrainOptions): readonly string[] {
  const alive = pods.filter(
    ({ metadata, status }) => metadata.deletionTimestamp === '' && !['Succeeded', 'Failed'].includes(status.phase),
  );
  const named = (some: readonly Live<Pod>[]) =>
    some.map(({ metadata: { namespace, name } }) => `${namespace}/${name}`).join(', ');
  const unmanaged = alive.filter(({ metadata }) => !metadata.ownerReferences.some(({ controller }) => controller));
  const local = alive.filter(({ spec }) => spec.volumes.some(({ emptyDir }) => emptyDir !== undefined));
  return [
    ...(unmanaged.length > 0 && force !== true
      ? [`nobody would make these Pods again (--force evicts them all the same): ${named(unmanaged)}`]
      : []),
    ...(local.length > 0 && deleteEmptydirData !== true
      ? [
          `these Pods would lose their emptyDir volumes (--delete-emptydir-data evicts them all the same): ${named(local)}`,
        ]
      : []),
  ];
}
