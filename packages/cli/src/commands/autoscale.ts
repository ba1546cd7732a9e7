import { cpuMetric, horizontalPodAutoscaler } from '@navarch/kinds';
import { parseQuantity } from '@navarch/machinery';
import { HorizontalPodAutoscaler, type MetricSpec } from '@navarch/proto';
import { Command, InvalidArgumentError, Option } from 'commander';
import {
  dryRunNote,
  dryRunOption,
  fieldManagerOption,
  wholeNumber,
  type WriteFlags,
  writeOptions,
} from '../options.ts';
import { objectName, parseNamedTargets } from '../resource-args.ts';
import type { Runner } from '../runner.ts';
import { namespaceOf, type Session, UserError } from '../session.ts';

interface AutoscaleOptions extends WriteFlags {
  readonly min?: number;
  readonly max: number;
  readonly cpuPercent?: number;
  readonly cpu?: string;
  readonly memory?: string;
  readonly name?: string;
}

export const autoscaleCommand = (run: Runner) =>
  new Command('autoscale')
    .description('Let what its Pods use decide how many there are')
    .argument('<target...>', 'TYPE/NAME… or TYPE NAME…')
    .addOption(new Option('--min <count>', 'the fewest Pods (default: 1)').argParser(wholeNumber))
    .addOption(new Option('--max <count>', 'the most Pods').argParser(wholeNumber).makeOptionMandatory())
    .addOption(
      new Option(
        '--cpu-percent <percent>',
        'how much cpu they should use, of what they request (default: 80)',
      ).argParser(wholeNumber),
    )
    .addOption(new Option('--cpu <amount>', 'the same as 70%, or for each Pod: 500m').argParser(target))
    .addOption(new Option('--memory <amount>', 'how much memory: 70%, or for each Pod: 200Mi').argParser(target))
    .addOption(new Option('--name <name>', "the autoscaler's name (default: that of the target)"))
    .addOption(dryRunOption())
    .addOption(fieldManagerOption())
    .addHelpText('after', '\nExample:\n  navctl autoscale deploy/web --min=2 --max=10 --cpu-percent=60')
    .action(run(autoscale));

async function autoscale(session: Session, args: readonly string[], options: AutoscaleOptions): Promise<void> {
  const { min, max, name: given } = options;
  if (max < 1) throw new UserError('--max must be at least 1');
  if (min !== undefined && min > max) throw new UserError('--max must not be less than --min');
  if (options.cpuPercent !== undefined && options.cpu !== undefined) {
    throw new UserError('--cpu and --cpu-percent say the same: choose one');
  }
  const targets = await parseNamedTargets(session, args);
  if (given !== undefined && targets.length > 1) throw new UserError('--name is for one target only');
  for (const { kind, name } of targets) {
    if (kind.scale === undefined) throw new UserError(`${kind.plural} have no replicas, so they can't be autoscaled`);
    const object = HorizontalPodAutoscaler.fromPartial({
      metadata: { name: given ?? name, namespace: namespaceOf(session, kind) },
      spec: {
        scaleTargetRef: { apiVersion: kind.apiVersion, kind: kind.kind, name },
        ...(min === undefined ? {} : { minReplicas: min }),
        maxReplicas: max,
        metrics: metricsOf(options),
      },
    });
    const { metadata } = await session.client().create(horizontalPodAutoscaler, object, writeOptions(options));
    session.print(`${objectName(horizontalPodAutoscaler, metadata.name)} autoscaled${dryRunNote(options)}\n`);
  }
}

/** None when nothing is said: the api has a default. */
function metricsOf({ cpuPercent, cpu, memory }: AutoscaleOptions): MetricSpec[] {
  return [
    ...(cpuPercent === undefined ? [] : [cpuMetric(cpuPercent)]),
    ...(cpu === undefined ? [] : [resourceMetric('cpu', cpu)]),
    ...(memory === undefined ? [] : [resourceMetric('memory', memory)]),
  ];
}

function resourceMetric(name: string, amount: string): MetricSpec {
  const metric = cpuMetric(Number.parseInt(amount, 10));
  const target = amount.endsWith('%')
    ? metric.resource?.target
    : { type: 'AverageValue', averageValue: amount, value: undefined, averageUtilization: undefined };
  return { ...metric, resource: { name, target } };
}

function target(text: string): string {
  const isAmount = /^[1-9]\d*%$/.test(text) || (parseQuantity(text) ?? 0n) > 0n;
  if (!isAmount) throw new InvalidArgumentError('It must be a percentage such as 70%, or an amount such as 500m.');
  return text;
}
