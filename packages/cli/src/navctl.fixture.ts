import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { run } from './run.ts';

export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface NavctlOptions {
  readonly server?: string;
  readonly stdin?: string;
  readonly signal?: AbortSignal;
  readonly now?: number;
  /** Hears what is printed as it is. */
  readonly onOut?: (text: string) => void;
}

/** Runs one command line within the test, and gives what a shell would see. */
export async function navctl(args: readonly string[], options: NavctlOptions = {}): Promise<Result> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  stdout.on('data', (chunk: Buffer) => options.onOut?.(chunk.toString()));
  const output = Promise.all([text(stdout), text(stderr)]);
  const code = await run(args, {
    stdin: Readable.from([Buffer.from(options.stdin ?? '')]),
    stdout,
    stderr,
    env: { NAVARCH_API: options.server ?? '127.0.0.1:1' },
    now: () => options.now ?? Date.now(),
    signal: options.signal ?? new AbortController().signal,
  });
  stdout.end();
  stderr.end();
  const [out, err] = await output;
  return { code, out, err };
}
