import { spawn } from 'node:child_process';

/** How the kernel's tools are called; replaced in tests. */
export type RunCommand = (
  command: string,
  args: readonly string[],
  options: { input?: string; signal: AbortSignal },
) => Promise<string>;

const timeoutMs = 20_000;

/** What a tool may print before it is taken for broken. */
const mostOutputBytes = 64 * 1024 * 1024;

/** Runs a program, gives it `input`, and resolves with its output. Rejects with what it wrote to stderr when it fails. */
export const runCommand: RunCommand = (command, args, { input = '', signal }) =>
  new Promise((resolve, reject) => {
    // Node gives a child sockets for streams, and nft opens /dev/stdin by its path, which a socket refuses: hence a real pipe.
    const [program, words] = input === '' ? [command, args] : ['sh', ['-c', 'cat | "$0" "$@"', command, ...args]];
    const child = spawn(program, words, { signal, timeout: timeoutMs, stdio: ['pipe', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    let outputBytes = 0;
    let complaint = '';
    child.stdout.on('data', (chunk: Buffer) => {
      outputBytes += chunk.length;
      if (outputBytes > mostOutputBytes) child.kill('SIGKILL');
      else output.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (complaint.length < 4000) complaint += chunk.toString();
    });
    child.on('error', (error) => reject(new Error(`${command} could not be run: ${error.message}`, { cause: error })));
    child.on('close', (code, killedBy) => {
      if (code === 0) resolve(Buffer.concat(output).toString());
      else
        reject(
          new Error(`${command} ${args.join(' ')} failed (${code ?? killedBy}): ${complaint.trim().slice(0, 1000)}`),
        );
    });
    // The program may end before it has read everything; its exit code then says why.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
