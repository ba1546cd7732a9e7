import { pod } from '@navarch/kinds';
import { isApiError, type JsonObject, type Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { DeleteRequest_Propagation } from '@navarch/proto';
import { attachTo } from './commands/attach.ts';
import { type NewFlags, sendNew } from './generate/send-new.ts';
import type { Session } from './session.ts';
import { stateOf, untilContainerRuns, waitForPod } from './until-container-runs.ts';

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
    return await connect(session, running, container, flags);
  } finally {
    if (flags.rm === true) await remove(session, { namespace, name }, flags.quiet === true);
  }
}

/** A program that has ended already has its words in its log; so has one that is only listened to, from its first word on. */
async function connect(
  session: Session,
  running: Live<Pod>,
  container: string,
  flags: RunAndRemoveFlags,
): Promise<number> {
  const { namespace, name } = running.metadata;
  const isRunning = stateOf(running, container)?.running !== undefined;
  if (flags.stdin !== true || !isRunning || !(await attached(session, running, container, flags))) {
    const request = { namespace, name, container, follow: true };
    for await (const piece of session.client().pods.logs(request, session.io.signal)) session.io.stdout.write(piece);
  }
  const code = await exitCodeOf(session, running, container);
  if (code !== 0 && flags.tty !== true) session.warn(`command terminated with exit code ${code}\n`);
  return code;
}

/** False when it came too late: the program has ended. */
async function attached(
  session: Session,
  running: Live<Pod>,
  container: string,
  flags: RunAndRemoveFlags,
): Promise<boolean> {
  try {
    await attachTo(session, running, container, flags);
    return true;
  } catch (error) {
    if (!isApiError(error, 'BadRequest')) throw error;
    return false;
  }
}

async function exitCodeOf(session: Session, { metadata }: Live<Pod>, container: string): Promise<number> {
  let code = 0;
  await waitForPod(session, metadata, undefined, (seen) => {
    const { state, lastState } = seen.status.containerStatuses.find(({ name }) => name === container) ?? {};
    const end = state?.terminated ?? lastState?.terminated;
    code = end?.exitCode ?? 0;
    return end !== undefined;
  });
  return code;
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
