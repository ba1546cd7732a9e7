import type { ChildProgram, FromChild, ToChild } from './child.ts';

// The process that child.ts starts: runs the program of the module that its argument names.
const [module = ''] = process.argv.slice(2);
const stop = new AbortController();
const send = (message: FromChild) => process.send?.(message);

// Whoever started it is gone: there is nobody left to measure for.
process.once('disconnect', () => process.exit(0));
process.on('message', (message: ToChild) => {
  if ('stop' in message) stop.abort();
  else void run(message.options);
});

async function run(options: unknown): Promise<void> {
  try {
    const program = ((await import(module)) as { default: ChildProgram<unknown, unknown> }).default; // as child.ts says
    send({ result: await program(options, { ready: (ready) => send({ ready }), stopped: stop.signal }) });
  } catch (error) {
    send({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}
