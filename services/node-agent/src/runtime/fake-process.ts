import { type ChildProcess, spawn } from 'node:child_process';
import { PassThrough } from 'node:stream';
import type { Attached, AttachOptions, ContainerConfig } from './runtime.ts';

/**
 * What a fake container with stdin runs: its command, as a process of this machine, so that there is something to attach to.
 * What it says while nobody is attached is lost, as with any container. A terminal is a pipe that calls itself one.
 */
export class FakeProcess {
  readonly #child: ChildProcess;
  readonly #stdinOnce: boolean;
  readonly #attached = new Set<{ readonly stdout: PassThrough; readonly stderr: PassThrough | undefined }>();

  constructor({ command, args, stdinOnce, tty }: ContainerConfig, onExit: (exitCode: number) => void) {
    const [program = 'cat', ...words] = [...command, ...args];
    this.#stdinOnce = stdinOnce && !tty;
    this.#child = spawn(program, words, { stdio: 'pipe' });
    this.#child.stdin?.on('error', () => {}); // it reads no more
    this.#child.stdout?.on('data', (data: Buffer) => this.#say(data, ({ stdout }) => stdout));
    this.#child.stderr?.on('data', (data: Buffer) => this.#say(data, ({ stdout, stderr }) => stderr ?? stdout));
    this.#child.once('error', () => this.#end(127, onExit));
    this.#child.once('close', (code) => this.#end(code ?? 137, onExit));
  }

  attach({ stdin, tty }: AttachOptions): Attached {
    const streams = { stdout: new PassThrough(), stderr: tty ? undefined : new PassThrough() };
    this.#attached.add(streams);
    const close = () => {
      this.#attached.delete(streams);
      streams.stdout.end();
      streams.stderr?.end();
    };
    return { ...streams, stdin: stdin ? this.#input(close) : undefined, resize: async () => {}, close };
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #input(detach: () => void): PassThrough {
    const input = new PassThrough();
    const { stdin } = this.#child;
    if (stdin) input.pipe(stdin, { end: this.#stdinOnce });
    if (!this.#stdinOnce) input.once('end', detach);
    return input;
  }

  #say(data: Buffer, where: (streams: { stdout: PassThrough; stderr: PassThrough | undefined }) => PassThrough): void {
    for (const streams of this.#attached) where(streams).write(data);
  }

  #end(exitCode: number, onExit: (exitCode: number) => void): void {
    onExit(exitCode);
    for (const { stdout, stderr } of this.#attached) {
      stdout.end();
      stderr?.end();
    }
    this.#attached.clear();
  }
}

/** What is attached to a container without stdin: silence, until it ends. */
export function silence(ended: Promise<void>, tty: boolean): Attached {
  const stdout = new PassThrough();
  const stderr = tty ? undefined : new PassThrough();
  const close = () => {
    stdout.end();
    stderr?.end();
  };
  void ended.then(close);
  return { stdin: undefined, stdout, stderr, resize: async () => {}, close };
}
