import { isApiError, type Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { attachTo } from './commands/attach.ts';
import type { Session } from './session.ts';
import { statusOf, waitForPod } from './until-container-runs.ts';

interface ProgramFlags {
  readonly stdin?: boolean;
  readonly tty?: boolean;
  readonly quiet?: boolean;
}

/**
 * Connects to a container's program that runs, or has run, and gives its exit code. One that has ended has its words in its log;
 * so has one that is only listened to, from its first word on. 0 when it goes on without us.
 */
export async function showProgram(
  session: Session,
  running: Live<Pod>,
  container: string,
  flags: ProgramFlags,
): Promise<number> {
  const { namespace, name } = running.metadata;
  const isRunning = statusOf(running, container)?.state?.running !== undefined;
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
  flags: ProgramFlags,
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
    const { state, lastState } = statusOf(seen, container) ?? {};
    const end = state?.terminated ?? lastState?.terminated;
    code = end?.exitCode ?? 0;
    return end !== undefined;
  });
  return code;
}
