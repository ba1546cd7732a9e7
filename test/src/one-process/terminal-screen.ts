/**
 * What stands on a terminal after all of `text` was written to it: as much of one as drawing a block over itself needs,
 * cursor up, down and to a column, and erasing lines.
 */
export function terminalScreen(text: string): string {
  const rows: string[] = [''];
  let row = 0;
  let column = 0;
  const moveTo = (next: number) => {
    row = Math.max(0, next);
    while (rows.length <= row) rows.push('');
  };
  // eslint-disable-next-line no-control-regex -- escape sequences begin with one
  for (const [piece, parameter = '', command] of text.matchAll(/\u001B\[\??(\d*)([A-Za-z])|[^]/gu)) {
    const count = Number(parameter || 1);
    const line = rows[row] ?? '';
    if (piece === '\n') {
      moveTo(row + 1);
      column = 0;
    } else if (command === 'A') moveTo(row - count);
    else if (command === 'B') moveTo(row + count);
    else if (command === 'G') column = count - 1;
    else if (command === 'K') rows[row] = parameter === '2' ? '' : line.slice(0, column);
    else if (command === undefined) rows[row] = line.padEnd(column).slice(0, column) + piece + line.slice(++column);
  }
  return rows
    .map((line) => line.trimEnd())
    .join('\n')
    .trimEnd();
}
