import { PatchRequest_Type } from '@navarch/proto';
import { Command, Option } from 'commander';
import { wholeNumber } from '../options.ts';
import type { Runner } from '../runner.ts';
import { objectName, parseNamedTargets } from '../resource-args.ts';
import { namespaceOf, type Session, UserError } from '../session.ts';

interface ScaleOptions {
  readonly replicas: number;
  readonly currentReplicas?: number;
}

export const scaleCommand = (run: Runner) =>
  new Command('scale')
    .description('Set how many Pods a Deployment or ReplicaSet keeps')
    .argument('<target...>', 'TYPE/NAME… or TYPE NAME…')
    .addOption(new Option('--replicas <count>', 'how many').argParser(wholeNumber).makeOptionMandatory())
    .addOption(new Option('--current-replicas <count>', 'only if there are as many now').argParser(wholeNumber))
    .addHelpText('after', '\nExample:\n  navctl scale deploy/web --replicas=5')
    .action(run(scale));

async function scale(session: Session, args: readonly string[], options: ScaleOptions): Promise<void> {
  if (options.replicas < 0) throw new UserError('--replicas must not be negative');
  for (const { kind, name } of await parseNamedTargets(session, args)) {
    if (kind.schema.byJsonName.get('spec')?.message?.byJsonName.has('replicas') !== true) {
      throw new UserError(`${kind.plural} have no replicas; Deployments and ReplicaSets do`);
    }
    const key = { namespace: namespaceOf(session, kind), name };
    const client = session.client();
    let precondition = {};
    if (options.currentReplicas !== undefined) {
      const object = await client.get(kind, key);
      const { replicas } = (object as { spec?: { replicas?: number } }).spec ?? {}; // tested above
      if (replicas !== options.currentReplicas) {
        throw new UserError(`${objectName(kind, name)} has ${replicas} replicas, not ${options.currentReplicas}`);
      }
      precondition = { metadata: { resourceVersion: object.metadata?.resourceVersion } };
    }
    const patch = JSON.stringify({ ...precondition, spec: { replicas: options.replicas } });
    await client.patch(kind, key, { type: PatchRequest_Type.MERGE, patch });
    session.print(`${objectName(kind, name)} scaled\n`);
  }
}
