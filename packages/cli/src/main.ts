import { run } from './run.ts';

const interrupted = new AbortController();
// The first Ctrl-C ends what runs in good order; the second one ends the process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
// A reader that has seen enough, such as head, closes the pipe.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const code = await run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  now: Date.now,
  signal: interrupted.signal,
});
// Not process.exit: what was written to a pipe must get out. Connections are closed, so the process ends by itself.
process.exitCode = code;
