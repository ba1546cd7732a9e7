import { formatTable } from '@navarch/machinery';

/** A page of labels and values, indented below one another, as `describe` prints it. */
export type Entry =
  | { readonly label: string; readonly value: string | number | boolean }
  /** Several values below one another. */
  | { readonly label: string; readonly lines: readonly string[] }
  | { readonly label: string; readonly entries: readonly Entry[] }
  /** The first row is the titles. */
  | { readonly label: string; readonly table: readonly (readonly (string | number)[])[] };

export function outlineText(entries: readonly Entry[], indent = ''): string {
  // Values of one level stand below one another.
  const width = Math.max(0, ...entries.filter(isLine).map(({ label }) => label.length)) + 3;
  return entries.map((entry) => indentBy(indent, entryText(entry, width))).join('');
}

function entryText(entry: Entry, width: number): string {
  const label = `${entry.label}:`;
  if (isLine(entry)) {
    const [first = '<none>', ...more] = valueLines(entry);
    return [label.padEnd(width) + first, ...more.map((line) => ' '.repeat(width) + line)]
      .map((line) => `${line.trimEnd()}\n`)
      .join('');
  }
  if ('table' in entry) {
    const [titles = [], ...rows] = entry.table;
    const rule = titles.map((title) => '-'.repeat(String(title).length));
    return `${label}\n${indentBy('  ', formatTable([titles, rule, ...rows]))}`;
  }
  return 'entries' in entry ? `${label}\n${outlineText(entry.entries, '  ')}` : '';
}

/** Whether the entry is told on its label's line, as those are that hold nothing. */
function isLine(entry: Entry): boolean {
  if ('entries' in entry) return entry.entries.length === 0;
  return 'table' in entry ? entry.table.length <= 1 : true;
}

function valueLines(entry: Entry): readonly string[] {
  if ('lines' in entry) return entry.lines;
  return 'value' in entry ? String(entry.value).split('\n') : [];
}

function indentBy(indent: string, text: string): string {
  return indent === '' ? text : text.replaceAll(/^(?=.)/gm, indent);
}
