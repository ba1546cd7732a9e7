import { age, formatTable, parseQuantity } from '@navarch/machinery';
import type { MetricObject, PushedMetric } from '@navarch/proto';
import { Command, Option } from 'commander';
import { allNamespacesOption, durationMs } from '../options.ts';
import { kindNamed } from '../resource-args.ts';
import type { Runner } from '../runner.ts';
import { type Session, UserError } from '../session.ts';

interface PushOptions {
  readonly for?: string;
  readonly labels?: string;
  readonly ttl?: number;
}

export const metricsCommand = (run: Runner) => {
  const command = new Command('metrics')
    .description('Tell autoscalers what was measured, and show what was told')
    .addHelpText(
      'after',
      '\nExamples:\n  navctl metrics push queue_length=120 --labels=queue=mail\n  navctl metrics list',
    );
  command
    .command('push')
    .description('Tell what was measured. It counts for a minute: push again before that')
    .argument('<metric=value...>', 'a name and a value each: requests_per_second=12, latency_seconds=250m')
    .addOption(
      new Option(
        '--for <type/name>',
        'what it was measured of: pod/web-1, ingress/web. Default: nothing, an external metric',
      ),
    )
    .addOption(new Option('--labels <labels>', 'what tells it from others of that name: queue=mail,region=north'))
    .addOption(
      new Option('--ttl <duration>', 'so long it counts if nothing newer comes (default: 1m, at most 10m)').argParser(
        durationMs,
      ),
    )
    .addHelpText('after', '\nExample:\n  navctl metrics push queue_length=120 --labels=queue=mail')
    .action(run(push));
  command
    .command('list')
    .description('Show what was told and still counts')
    .argument('[name]')
    .addOption(allNamespacesOption())
    .addHelpText('after', '\nExample:\n  navctl metrics list')
    .action(run(list));
  return command;
};

async function push(session: Session, args: readonly string[], options: PushOptions): Promise<void> {
  const object = await objectOf(session, options.for);
  const metrics = args.map((text) => ({
    ...parse(text),
    namespace: session.namespace,
    object,
    labels: labelsOf(options.labels),
    ttlMs: BigInt(options.ttl ?? 0),
  }));
  await session.client().metrics.push(metrics);
  const of = object === undefined ? 'external' : `of ${object.kind}/${object.name}`;
  for (const { name, value } of metrics) session.print(`${name}=${value} (${of}) pushed\n`);
}

function parse(text: string): { name: string; value: string } {
  const [name = '', value = '', ...more] = text.split('=');
  if (name === '' || value === '' || more.length > 0 || parseQuantity(value) === undefined) {
    throw new UserError(`"${text}" must be NAME=VALUE, the value a number such as 12, 1500m or 2k`);
  }
  return { name, value };
}

function labelsOf(text: string | undefined): Record<string, string> {
  const pairs = (text ?? '').split(',').filter((pair) => pair !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const [key = '', value, ...more] = pair.split('=');
      if (key === '' || value === undefined || more.length > 0) {
        throw new UserError(`--labels: "${pair}" must be KEY=VALUE`);
      }
      return [key, value];
    }),
  );
}

/** Kinds that this cluster doesn't have are nothing to refuse: whoever measures knows what of. */
async function objectOf(session: Session, text: string | undefined): Promise<MetricObject | undefined> {
  if (text === undefined) return undefined;
  const [type = '', name = '', ...more] = text.split('/');
  if (type === '' || name === '' || more.length > 0) throw new UserError(`--for must be TYPE/NAME, not "${text}"`);
  const { kind, apiVersion } = await kindNamed(session, type);
  return { kind, apiVersion, name };
}

async function list(
  session: Session,
  name: string | undefined,
  { allNamespaces = false }: { readonly allNamespaces?: boolean },
): Promise<void> {
  const namespace = allNamespaces ? '' : session.namespace;
  const { metrics } = await session.client().metrics.pushed({ namespace, name: name ?? '' });
  if (metrics.length === 0)
    return session.warn(`No metrics found${allNamespaces ? '' : ` in ${namespace} namespace`}.\n`);
  const titles = [...(allNamespaces ? ['NAMESPACE'] : []), 'NAME', 'OF', 'LABELS', 'VALUE', 'AGE'];
  const rows = metrics.map((metric) => [
    ...(allNamespaces ? [metric.namespace] : []),
    ...cells(metric, session.io.now()),
  ]);
  session.print(formatTable([titles, ...rows]));
}

function cells({ name, object, labels, value, time }: PushedMetric, now: number): string[] {
  const text = Object.entries(labels).map(([key, label]) => `${key}=${label}`);
  return [
    name,
    object === undefined ? '<external>' : `${object.kind}/${object.name}`,
    text.join(',') || '<none>',
    value,
    age(time, now),
  ];
}
