import { PassThrough, Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Live } from '@navarch/machinery';
import type { Pod } from '@navarch/proto';
import { type Session, UserError } from '../session.ts';

/** A container in which programs can be run. */
export interface Remote {
  readonly session: Session;
  readonly pod: Live<Pod>;
  readonly container: string;
}

/** What a program of a container said and how it ended. */
interface Ended {
  readonly code: number;
  readonly errors: string;
}

/** Runs a program to its end: `input` is what it reads, and `output` gets what it writes. */
export async function runIn(
  { session, pod, container }: Remote,
  command: readonly string[],
  { input, output }: { readonly input?: Readable; readonly output?: Writable },
): Promise<Ended> {
  const { namespace, name } = pod.metadata;
  const hangUp = new AbortController();
  const signal = AbortSignal.any([session.io.signal, hangUp.signal]);
  const request = { namespace, name, container, command: [...command], stdin: input !== undefined };
  const running = await session.client().pods.exec(request, signal);
  let failure: Error | undefined;
  const sending =
    input &&
    send(input, running).catch((error: Error) => {
      // What could not be read here never comes: the program would wait for it.
      failure = error;
      hangUp.abort();
    });
  let errors = '';
  let code = -1;
  const pieces = async function* () {
    for await (const piece of running.output) {
      if (piece.type === 'stdout') yield piece.data;
      else if (piece.type === 'exit') code = piece.code;
      else errors = (errors + Buffer.from(piece.data).toString('utf8')).slice(-4096);
    }
  };
  try {
    await pipeline(Readable.from(pieces()), output ?? new PassThrough().resume());
  } catch (error) {
    throw failure ?? error;
  }
  await sending;
  if (failure !== undefined) throw failure;
  if (code < 0) throw new UserError('the connection ended before the program did');
  return { code, errors: errors.trim() };
}

async function send(
  input: Readable,
  running: Awaited<ReturnType<ReturnType<Session['client']>['pods']['exec']>>,
): Promise<void> {
  for await (const data of input) await running.send({ type: 'stdin', data: data as Buffer });
  await running.send({ type: 'end' });
}

/** Throws UserError when `tar` could not do it. */
export function checkTar({ code, errors }: Ended, { pod, container }: Remote): void {
  if (code === 0) return;
  const missing = code === 126 || code === 127 || /not found|no such file.*tar|executable file/i.test(errors);
  const where = `container "${container}" of pod "${pod.metadata.name}"`;
  if (missing && !errors.startsWith('tar:')) throw new UserError(`${where} has no program tar, which cp needs`);
  throw new UserError(`tar in ${where} ended with exit code ${code}${errors === '' ? '' : `: ${errors}`}`);
}
