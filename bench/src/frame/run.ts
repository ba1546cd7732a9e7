import { formatTable } from '@navarch/machinery';
import { type FigureRecord, record, type Suite } from './figure.ts';

/** Runs the suites that `argv` names (`<suite>… [--json]`) and prints their figures. Sets the exit code on an error. */
export async function main(suites: readonly Suite[], argv: readonly string[]): Promise<void> {
  const json = argv.includes('--json');
  const names = argv.filter((argument) => !argument.startsWith('--'));
  const chosen = names.map((name) => suites.find((suite) => suite.name === name));
  const unknown = names.filter((_, index) => chosen[index] === undefined);
  if (names.length === 0 || unknown.length > 0) {
    if (unknown.length > 0) console.error(`There is no benchmark suite "${unknown.join('", "')}".`);
    console.error('usage: npm run bench -- <suite>… [--json]\n\nSuites:');
    for (const suite of suites) console.error(`  ${suite.name.padEnd(12)} ${suite.summary}`);
    process.exitCode = 2;
    return;
  }
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort(new Error('interrupted')));
  for (const suite of chosen) {
    if (suite === undefined) continue;
    const records: FigureRecord[] = [];
    const say = (line: string) => process.stderr.write(`${line}\n`);
    for await (const figure of suite.run({ say, signal: abort.signal })) {
      const line = record(figure);
      records.push(line);
      if (json) console.log(JSON.stringify(line));
    }
    if (!json) console.log(table(suite.name, records));
  }
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
