/** Rows under their titles in columns three spaces apart, as kubectl prints them. No line ends in spaces. */
export function formatTable(rows: readonly (readonly (string | number)[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, width(String(cell)));
    }
  }
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => pad(cell, widths[column] ?? 0))
          .join('')
          .trimEnd()}\n`,
    )
    .join('');
}

function pad(cell: string | number, columnWidth: number): string {
  const text = String(cell);
  return text + ' '.repeat(columnWidth - width(text) + 3);
}

function width(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
