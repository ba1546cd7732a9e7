import { spawn } from 'node:child_process';

const maxOutputBytes = 8 << 20;

/**
 * Runs a program to its end. Never rejects because of its exit code: look at `code` (127 when it doesn't exist).
 * Output past 8 MiB is dropped.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, input?: string, signal?: AbortSignal, inherit?: boolean,
 *   onLine?: (line: string) => void }} [options] `onLine` sees each line of both outputs as it comes
 * @returns {Promise<{ code: number, stdout: string, stderr: string }>}
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      signal: options.signal,
      stdio: options.inherit ? ['ignore', 'inherit', 'inherit'] : ['pipe', 'pipe', 'pipe'],
    });
    const out = { stdout: '', stderr: '' };
    let partLine = '';
    for (const name of /** @type {const} */ (['stdout', 'stderr'])) {
      child[name]?.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
        if (out[name].length < maxOutputBytes) out[name] += text;
        if (!options.onLine) return;
        const lines = (partLine + text).split('\n');
        partLine = lines.pop() ?? '';
        for (const line of lines) options.onLine(line);
      });
    }
    child.on('error', (error) => resolve({ code: 127, stdout: out.stdout, stderr: `${out.stderr}${error.message}` }));
    child.on('close', (code) => resolve({ code: code ?? 1, ...out }));
    child.stdin?.on('error', () => {}); // a program may end without reading its input
    child.stdin?.end(options.input ?? '');
  });
}

/**
 * Runs a program that is expected to succeed.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Parameters<typeof run>[2]} [options]
 * @returns {Promise<string>} its standard output
 */
export async function must(command, args, options) {
  const { code, stdout, stderr } = await run(command, args, options);
  if (code !== 0) {
    const said = (stderr.trim() || stdout.trim()).split('\n').slice(-5).join('\n');
    throw new Error(`${command} ${args.join(' ')} ended with code ${code}: ${said}`);
  }
  return stdout;
}
