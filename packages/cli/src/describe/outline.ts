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
  const widths = entries
    .filter((entry) => !('entries' in entry) && !('table' in entry))
    .map(({ label }) => label.length);
  const width = Math.max(0, ...widths) + 3;
  return entries.map((entry) => indentBy(indent, entryText(entry, width))).join('');
}

function entryText(entry: Entry, width: number): string {
  const label = `${entry.label}:`;
  if ('entries' in entry) {
    return entry.entries.length === 0 ? `${label}  <none>\n` : `${label}\n${outlineText(entry.entries, '  ')}`;
  }
  if ('table' in entry) {
    const [titles = [], ...rows] = entry.table;
    if (rows.length === 0) return `${label}  <none>\n`;
    const rule = titles.map((title) => '-'.repeat(String(title).length));
    return `${label}\n${indentBy('  ', formatTable([titles, rule, ...rows]))}`;
  }
  const lines = 'lines' in entry ? entry.lines : String(entry.value).split('\n');
  const [first = '<none>', ...more] = lines;
  return [`${label.padEnd(width)}${first}`, ...more.map((line) => ' '.repeat(width) + line)]
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

function indentBy(indent: string, text: string): string {
  return indent === '' ? text : text.replaceAll(/^(?=.)/gm, indent);
}
