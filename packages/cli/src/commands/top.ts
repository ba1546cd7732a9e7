import { formatTable } from '@navarch/machinery';
import type { ContainerUsageReport, NodeUsage, Usage } from '@navarch/proto';
import { Command, Option } from 'commander';
import { allNamespacesOption, fieldSelectorOption, selectorOption } from '../options.ts';
import type { Runner } from '../runner.ts';
import type { Session } from '../session.ts';

interface TopOptions {
  readonly selector?: string;
  readonly sortBy?: 'cpu' | 'memory';
  readonly headers: boolean;
}

interface NodeOptions extends TopOptions {
  readonly showCapacity?: boolean;
}

interface PodOptions extends TopOptions {
  readonly fieldSelector?: string;
  readonly allNamespaces?: boolean;
  readonly containers?: boolean;
  readonly sum?: boolean;
}

export const topCommand = (run: Runner) => {
  const command = new Command('top')
    .description('Show what nodes and Pods use now')
    .addHelpText('after', '\nExamples:\n  navctl top nodes\n  navctl top pods -A --sort-by=memory');
  const add = (name: string, alias: string, description: string) =>
    command
      .command(name)
      .aliases([alias, alias.slice(0, 2)])
      .argument('[name]')
      .description(description)
      .addOption(selectorOption())
      .addOption(new Option('--sort-by <field>', 'the most first').choices(['cpu', 'memory']))
      .option('--no-headers', 'no titles above the columns');
  add('node', 'nodes', 'Show cpu and memory of nodes, and how much that is of what Pods can have')
    .option('--show-capacity', 'how much that is of all that the node has')
    .addHelpText('after', '\nExample:\n  navctl top nodes --sort-by=cpu')
    .action(run(topNodes));
  add('pod', 'pods', 'Show cpu and memory of Pods')
    .addOption(fieldSelectorOption())
    .addOption(allNamespacesOption())
    .option('--containers', 'each container on a line of its own')
    .option('--sum', 'all together in a last line')
    .addHelpText('after', '\nExamples:\n  navctl top pods -A --sort-by=memory\n  navctl top pod web --containers')
    .action(run(topPods));
  return command;
};

async function topNodes(session: Session, name: string | undefined, options: NodeOptions): Promise<number> {
  const { selector: labelSelector = '' } = options;
  const { items, missing, explanation } = await session.client().metrics.nodeUsage({ name: name ?? '', labelSelector });
  const titles = ['NAME', 'CPU(cores)', 'CPU(%)', 'MEMORY(bytes)', 'MEMORY(%)'];
  const rows = sorted(items, options, ({ usage }) => usage).map((node) => [node.name, ...nodeCells(node, options)]);
  const unknown = missing.map((name) => [name, ...titles.slice(1).map(() => '<unknown>')]);
  return show(session, options, titles, [...rows, ...unknown], { missing, explanation, found: items.length });
}

function nodeCells(node: NodeUsage, { showCapacity = false }: NodeOptions): string[] {
  const whole = showCapacity ? node.capacity : node.allocatable;
  const { cpuNanocores, memoryBytes } = used(node.usage);
  return [
    cpuText(cpuNanocores),
    percent(cpuNanocores, used(whole).cpuNanocores),
    memoryText(memoryBytes),
    percent(memoryBytes, used(whole).memoryBytes),
  ];
}

async function topPods(session: Session, name: string | undefined, options: PodOptions): Promise<number> {
  const { selector: labelSelector = '', fieldSelector = '', allNamespaces = false, containers = false } = options;
  const namespace = allNamespaces ? '' : session.namespace;
  const { items, missing, explanation } = await session
    .client()
    .metrics.podUsage({ namespace, name: name ?? '', labelSelector, fieldSelector });
  const titles = [
    ...(allNamespaces ? ['NAMESPACE'] : []),
    ...(containers ? ['POD', 'NAME'] : ['NAME']),
    'CPU(cores)',
    'MEMORY(bytes)',
  ];
  const lines = items.flatMap((pod) => {
    const place = [...(allNamespaces ? [pod.namespace] : []), pod.name];
    return containers
      ? pod.containers.map(({ name, usage }) => ({ cells: [...place, name], usage: used(usage) }))
      : [{ cells: place, usage: total(pod.containers) }];
  });
  const rows = sorted(lines, options, ({ usage }) => usage).map(({ cells, usage }) => [...cells, ...amounts(usage)]);
  if (options.sum === true) {
    const blank = titles.slice(2).map(() => '');
    rows.push([...blank, '________', '________'], [...blank, ...amounts(total(lines))]);
  }
  return show(session, options, titles, rows, { missing, explanation, found: items.length });
}

/** Prints what is known, and says what is not. Fails when nothing is known of what is there. */
function show(
  session: Session,
  { headers }: TopOptions,
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  { missing, explanation, found }: { missing: readonly string[]; explanation: string; found: number },
): number {
  if (rows.length > 0 && (found > 0 || missing.length > 0))
    session.print(formatTable(headers ? [titles, ...rows] : rows));
  if (missing.length === 0) {
    if (found === 0) session.warn('No resources found\n');
    return 0;
  }
  const [first, second, third, ...more] = missing;
  const names = [first, second, third].filter((name) => name !== undefined).join(', ');
  session.warn(`nothing is known of ${names}${more.length > 0 ? ` and ${more.length} more` : ''}: ${explanation}\n`);
  return found === 0 ? 1 : 0;
}

function sorted<T>(items: readonly T[], { sortBy }: TopOptions, of: (item: T) => Usage | undefined): T[] {
  if (sortBy === undefined) return [...items];
  const amount = (item: T) => (sortBy === 'cpu' ? used(of(item)).cpuNanocores : used(of(item)).memoryBytes);
  return items.toSorted((a, b) => Number(amount(b) - amount(a)));
}

function used(usage: Usage | undefined): Usage {
  return usage ?? { cpuNanocores: 0n, memoryBytes: 0n };
}

function total(parts: readonly Pick<ContainerUsageReport, 'usage'>[]): Usage {
  return parts.reduce(
    (sum, { usage }) => ({
      cpuNanocores: sum.cpuNanocores + used(usage).cpuNanocores,
      memoryBytes: sum.memoryBytes + used(usage).memoryBytes,
    }),
    used(undefined),
  );
}

function amounts({ cpuNanocores, memoryBytes }: Usage): [string, string] {
  return [cpuText(cpuNanocores), memoryText(memoryBytes)];
}

/** Thousandths of a core, rounded up, as kubectl shows them. */
function cpuText(nanocores: bigint): string {
  return `${(nanocores + 999_999n) / 1_000_000n}m`;
}

function memoryText(bytes: bigint): string {
  return `${bytes / (1024n * 1024n)}Mi`;
}

function percent(part: bigint, whole: bigint): string {
  return whole === 0n ? '<unknown>' : `${(part * 100n) / whole}%`;
}
