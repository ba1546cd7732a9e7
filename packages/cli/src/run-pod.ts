import { pod } from '@navarch/kinds';
import { escapeFieldValue, isApiError, type JsonObject, type Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { DeleteRequest_Propagation } from '@navarch/proto';
import { execIn } from './commands/exec.ts';
import { type NewFlags, sendNew } from './generate/send-new.ts';
import { podTrouble } from './rollout/pod-trouble.ts';
import { type Session, UserError } from './session.ts';
import { waitUntil } from './wait-until.ts';

export interface RunAndRemoveFlags extends NewFlags {
  readonly stdin?: boolean;
  readonly tty?: boolean;
  readonly rm?: boolean;
  readonly quiet?: boolean;
  readonly podRunningTimeout: number;
}

/**
 * Makes a Pod, waits until it runs and shows what its program writes, to its end; with `stdin`, runs `args` in it instead.
 * Then removes it when that was asked for, whatever happened. Gives the program's exit code.
 */
export async function runAndRemove(
  session: Session,
  json: JsonObject,
  args: readonly string[],
  flags: RunAndRemoveFlags,
): Promise<number> {
  const quiet = { ...session, print: () => undefined };
  const made = await sendNew(flags.quiet === true ? quiet : session, json, flags);
  const { namespace = '', name = '' } = made?.metadata ?? {};
  const key = { namespace, name };
  try {
    const running = await untilRuns(session, key, flags.podRunningTimeout);
    if (flags.stdin === true) return await execIn(session, running, args.length === 0 ? ['sh'] : args, flags);
    return await untilEnds(session, running);
  } finally {
    if (flags.rm === true) await remove(session, key, flags.quiet === true);
  }
}

type Key = { readonly namespace: string; readonly name: string };

function selectorFor({ namespace, name }: Key) {
  return { namespace, fieldSelector: `metadata.name=${escapeFieldValue(name)}` };
}

/** The Pod once it runs, or has run already. Throws UserError that says what keeps it. */
async function untilRuns(session: Session, key: Key, timeoutMs: number): Promise<Live<Pod>> {
  let last: Live<Pod> | undefined;
  const runs = (object: Live<Pod> | undefined) => {
    if (object === undefined) throw new UserError(`pod "${key.name}" is gone`);
    last = object;
    return object.status.containerStatuses.some(({ state }) => (state?.running ?? state?.terminated) !== undefined);
  };
  const seen = await waitUntil(session, pod, selectorFor(key), runs, timeoutMs);
  if (seen && last !== undefined) return last;
  const trouble = last && podTrouble(last, 0, session.io.now());
  throw new UserError(`timed out waiting for pod "${key.name}" to run${trouble === undefined ? '' : `: ${trouble}`}`);
}

/** Shows what the container writes, and gives its exit code. */
async function untilEnds(session: Session, { metadata, spec }: Live<Pod>): Promise<number> {
  const { namespace, name } = metadata;
  const container = spec.containers[0]?.name ?? '';
  const request = { namespace, name, container, follow: true };
  for await (const piece of session.client().pods.logs(request, session.io.signal)) session.io.stdout.write(piece);
  let code = 0;
  const ended = (object: Live<Pod> | undefined) => {
    if (object === undefined) throw new UserError(`pod "${name}" is gone`);
    const { state, lastState } = object.status.containerStatuses[0] ?? {};
    const end = state?.terminated ?? lastState?.terminated;
    code = end?.exitCode ?? 0;
    return end !== undefined;
  };
  await waitUntil(session, pod, selectorFor(metadata), ended);
  if (code !== 0) session.warn(`command terminated with exit code ${code}\n`);
  return code;
}

async function remove(session: Session, key: Key, quiet: boolean): Promise<void> {
  const options = { propagation: DeleteRequest_Propagation.BACKGROUND, gracePeriodSeconds: 1 };
  try {
    await session.client().delete(pod, key, options);
    if (!quiet) session.print(`pod "${key.name}" deleted\n`);
  } catch (error) {
    if (!isApiError(error, 'NotFound')) throw error;
  }
}
