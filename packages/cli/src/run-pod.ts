import { pod } from '@navarch/kinds';
import { isApiError, type JsonObject } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { DeleteRequest_Propagation } from '@navarch/proto';
import { type NewFlags, sendNew } from './generate/send-new.ts';
import type { Session } from './session.ts';
import { showProgram } from './show-program.ts';
import { untilContainerRuns } from './until-container-runs.ts';

export interface RunAndRemoveFlags extends NewFlags {
  readonly stdin?: boolean;
  readonly tty?: boolean;
  readonly rm?: boolean;
  readonly quiet?: boolean;
  readonly podRunningTimeout: number;
}

/**
 * Makes a Pod, waits until it runs, and connects to its program, to its end. Then removes it when that was asked for, whatever
 * happened. Gives the program's exit code.
 */
export async function runAndRemove(session: Session, json: JsonObject, flags: RunAndRemoveFlags): Promise<number> {
  const quiet = { ...session, print: () => undefined };
  const made = await sendNew(flags.quiet === true ? quiet : session, json, flags);
  const { namespace = '', name = '' } = made?.metadata ?? {};
  const container = (made as Pod | undefined)?.spec?.containers[0]?.name ?? ''; // what was sent is a Pod
  try {
    const running = await untilContainerRuns(session, { namespace, name, container }, flags.podRunningTimeout);
    return await showProgram(session, running, container, flags);
  } finally {
    if (flags.rm === true) await remove(session, { namespace, name }, flags.quiet === true);
  }
}

async function remove(session: Session, key: { namespace: string; name: string }, quiet: boolean): Promise<void> {
  const options = { propagation: DeleteRequest_Propagation.BACKGROUND, gracePeriodSeconds: 1 };
  try {
    await session.client().delete(pod, key, options);
    if (!quiet) session.print(`pod "${key.name}" deleted\n`);
  } catch (error) {
    if (!isApiError(error, 'NotFound')) throw error;
  }
}
