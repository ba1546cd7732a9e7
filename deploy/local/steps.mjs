import { stripVTControlCharacters } from 'node:util';

const live = process.stdout.isTTY;

/** In a pipe, a step that takes longer than this is announced. */
const longMs = 3_000;

/**
 * Shows a step of long work as it goes: on a terminal one live line, in a pipe a line when it is done, and one before
 * that when it takes long.
 * What the work returns as `detail` stands behind it; a step that had nothing to do is not shown in a pipe at all.
 * @template T
 * @param {string} title
 * @param {(update: (detail: string) => void) => Promise<T>} work
 * @param {{ quietUnless?: (result: T) => boolean }} [options]
 * @returns {Promise<T>}
 */
export async function step(title, work, { quietUnless } = {}) {
  const startedAt = performance.now();
  let detail = '';
  const seconds = () => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
  const draw = () => process.stdout.write(`\r\x1b[2K  … ${title} (${seconds()})${fit(detail, title)}`);
  const clear = () => live && process.stdout.write('\r\x1b[2K');
  const timer = live ? setInterval(draw, 100) : setTimeout(() => console.log(`  … ${title}`), longMs);
  if (live) draw();
  try {
    const result = await work((/** @type {string} */ text) => {
      detail = text;
    });
    clear();
    if (!quietUnless || quietUnless(result)) console.log(`  ✓ ${title} (${seconds()})`);
    return result;
  } catch (error) {
    clear();
    console.log(`  ✗ ${title} (${seconds()})`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/** What of a detail fits on the line. @param {string} detail @param {string} title */
function fit(detail, title) {
  const room = (process.stdout.columns ?? 80) - title.length - 16;
  const plain = stripVTControlCharacters(detail)
    .replaceAll(/[\r\n]/g, ' ')
    .trim();
  return plain && room > 10 ? `  ${plain.slice(0, room)}` : '';
}
