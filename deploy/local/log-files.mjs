import { copyFile, open, readFile, stat, truncate } from 'node:fs/promises';

const maxLogBytes = 16 << 20;

/**
 * Keeps a log that a process appends to at no more than 16 MiB, and one older part beside it. Copied and truncated, not
 * renamed: the process goes on writing to the file that it has open.
 * @param {string} file
 */
export async function bound(file) {
  const size = await stat(file).then(
    (stats) => stats.size,
    () => 0,
  );
  if (size <= maxLogBytes) return;
  await copyFile(file, `${file}.1`);
  await truncate(file, 0);
}

/**
 * The last lines of a log, for a message about the process that wrote it.
 * @param {string} file
 * @param {number} lines
 */
export async function tail(file, lines) {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}

/** Opens a log for a child process. @param {string} file */
export const openLog = (file) => open(file, 'a', 0o600);
