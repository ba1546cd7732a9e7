import { Failure } from './failure.mjs';

/**
 * Runs a command's work; a failure is told in a sentence, without a stack unless NAVARCH_DEBUG is set.
 * @param {() => Promise<unknown>} work
 */
export async function reportFailure(work) {
  try {
    await work();
  } catch (error) {
    const debug = process.env['NAVARCH_DEBUG'] && !(error instanceof Failure);
    const text = error instanceof Error ? (debug && error.stack) || error.message : String(error);
    console.error(`\n${text}`);
    process.exitCode = 1;
  }
}
