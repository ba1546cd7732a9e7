import { formatTable } from '@navarch/machinery';
import { parseArgs } from 'node:util';
import { type FigureRecord, record, type Suite } from './figure.ts';

const usage = `usage: npm run bench -- <suite>… [--only <part>,…] [--profile <folder>] [--json]

  --only <part>,…     only these parts of a suite
  --profile <folder>  CPU profiles of what is measured go there
  --json              one line of JSON for each figure
  --help              this text`;

/** Runs the suites that `argv` names and prints their figures. Sets the exit code on an error. */
export async function main(suites: readonly Suite[], argv: readonly string[]): Promise<void> {
  let options: RunOptions | 'help';
  try {
    options = readOptions(suites, argv);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${help(suites)}`);
    process.exitCode = 2;
    return;
  }
  if (options === 'help') {
    console.log(help(suites));
    return;
  }
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort(new Error('interrupted')));
  const { json, chosen, only, profileDir } = options;
  for (const suite of chosen) {
    const records: FigureRecord[] = [];
    const say = (line: string) => process.stderr.write(`${line}\n`);
    for await (const figure of suite.run({ say, signal: abort.signal, only, profileDir })) {
      const line = record(figure);
      records.push(line);
      if (json) console.log(JSON.stringify(line));
    }
    if (!json) console.log(table(suite.name, records));
  }
}

interface RunOptions {
  readonly chosen: readonly Suite[];
  readonly only: readonly string[] | undefined;
  readonly profileDir: string | undefined;
  readonly json: boolean;
}

function help(suites: readonly Suite[]): string {
  const lines = suites.map(({ name, summary, parts }) => {
    return `  ${name.padEnd(12)} ${summary}${parts === undefined ? '' : ` (parts: ${parts.join(', ')})`}`;
  });
  return [usage, '', 'Suites:', ...lines].join('\n');
}

function readOptions(suites: readonly Suite[], argv: readonly string[]): RunOptions | 'help' {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      only: { type: 'string' },
      profile: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  if (positionals.length === 0) throw new Error('Which suite?');
  const chosen = positionals.map((name) => {
    const suite = suites.find((suite) => suite.name === name);
    if (suite === undefined) throw new Error(`There is no benchmark suite "${name}".`);
    return suite;
  });
  const only = values.only?.split(',');
  const parts = chosen.flatMap(({ parts = [] }) => parts);
  for (const part of only ?? []) {
    if (!parts.includes(part)) throw new Error(`There is no part "${part}" in ${positionals.join(' and ')}.`);
  }
  return { chosen, only, profileDir: values.profile, json: values.json };
}

function table(suite: string, records: readonly FigureRecord[]): string {
  const number = (value: number | null) => (value === null ? '-' : String(value));
  const rows = records.map((line) => [
    line.name,
    `${line.value} ${line.unit}`.trim(),
    line.limit === null ? '-' : `${line.limit} ${line.unit}`.trim(),
    number(line.ratio),
    line.goal ?? '-',
    line.met === null ? '-' : line.met ? 'met' : 'NOT MET',
  ]);
  return `\n${suite}\n${formatTable([['WHAT', 'FIGURE', 'LIMIT', 'RATIO', 'GOAL', 'MET'], ...rows])}`;
}
