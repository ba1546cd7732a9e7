import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What a part of a benchmark that runs in a process of its own is given besides its options. */
export interface ChildContext {
  /** Tells who started it that it is ready, and with what. */
  readonly ready: (value?: unknown) => void;
  /** Aborts when the part should come to its end. */
  readonly stopped: AbortSignal;
}

/** What the default export of such a part's module must be: what it returns is its result. */
export type ChildProgram<Options, Result> = (options: Options, context: ChildContext) => Promise<Result>;

export type FromChild = { readonly ready: unknown } | { readonly result: unknown } | { readonly error: string };
export type ToChild = { readonly options: unknown } | { readonly stop: true };

/** A load or a reader in a process of its own, so that it does not share a core's time with whoever measures it. */
export class Child<Result> {
  readonly #process: ChildProcess;
  readonly #ready = Promise.withResolvers<unknown>();
  readonly #result = Promise.withResolvers<Result>();

  /** `module` exports a ChildProgram; `options` must be what structured clone can copy. */
  constructor(module: URL, options: unknown) {
    const program = fileURLToPath(new URL('child-main.js', import.meta.url));
    this.#process = fork(program, [module.href], {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    // Whoever waits for one of them hears of a failure; nobody has to wait for both.
    this.#ready.promise.catch(() => {});
    this.#result.promise.catch(() => {});
    this.#process.on('message', (message) => this.#take(message as FromChild)); // child-main.ts sends nothing else
    this.#process.on('exit', (code, signal) => this.#fail(new Error(`${module.pathname} ended: ${signal ?? code}`)));
    this.#process.on('error', (error) => this.#fail(error));
    this.#send({ options });
  }

  get pid(): number {
    if (this.#process.pid === undefined) throw new Error('the process was not started');
    return this.#process.pid;
  }

  /** What the part was ready with. T is the caller's word. */
  // eslint-disable-next-line typescript/no-unnecessary-type-parameters -- what the caller knows and the message can't say
  async ready<T>(): Promise<T> {
    return (await this.#ready.promise) as T;
  }

  async result(): Promise<Result> {
    return await this.#result.promise;
  }

  /** Asks it to come to its end, and gives its result. */
  async stop(): Promise<Result> {
    this.#send({ stop: true });
    return await this.result();
  }

  /** Ends the process, whatever it does. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  #send(message: ToChild): void {
    if (this.#process.connected) this.#process.send(message);
  }

  #take(message: FromChild): void {
    if ('ready' in message) this.#ready.resolve(message.ready);
    else if ('error' in message) this.#fail(new Error(message.error));
    else this.#result.resolve(message.result as Result); // what the module's program returned
  }

  #fail(error: Error): void {
    this.#ready.reject(error);
    this.#result.reject(error);
  }
}

/** Runs a part to its end and gives its result. */
export async function runChild<Result>(module: URL, options: unknown): Promise<Result> {
  const child = new Child<Result>(module, options);
  try {
    return await child.result();
  } finally {
    await child.kill();
  }
}
