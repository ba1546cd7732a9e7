import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '@navarch/testing';
import { type Cluster, execute, type Finished, root } from './cluster.ts';

/** The real kubectl, as somebody uses it who was given a kubeconfig. */
export interface Kubectl {
  readonly env: NodeJS.ProcessEnv;
  /** Rejects with what it printed when it fails. */
  run(...args: string[]): Promise<string>;
  /** What it did, also when it fails; `input` goes to its standard input. */
  attempt(args: readonly string[], input?: string): Promise<Finished>;
  /** What `… -o json` prints, parsed. */
  json<T>(...args: string[]): Promise<T>;
  /** As if typed at a terminal; the terminal's text, with both outputs in one. */
  atTerminal(args: readonly string[], input: string): Promise<Finished>;
  /** Goes on until it is stopped or ends. */
  follow(...args: string[]): Following;
  /** Applies a manifest given as data. */
  apply(...manifests: readonly object[]): Promise<string>;
}

export interface Following {
  /** Both outputs so far. */
  text(): string;
  /** Resolves once the output holds `text`; throws with the output when it does not come within 30 s. */
  shows(text: string | RegExp): Promise<void>;
  /** Writes to its standard input. */
  type(text: string): void;
  /** Asks it to end as Ctrl-C does, and waits for that. */
  stop(): Promise<void>;
  /** Its exit code, when it has ended by itself. */
  readonly ended: Promise<number>;
}

/** Where `npm test` found the program, or undefined: then its tests can't run. */
export const foreignClient = (name: 'kubectl' | 'helm'): string | undefined =>
  process.env[`NAVARCH_TEST_${name.toUpperCase()}`];

/** Gives kubectl the kubeconfig that `navctl kubeconfig` prints. Its caches are the cluster's own. */
export async function kubectlOf(cluster: Cluster, program: string): Promise<Kubectl> {
  const home = join(cluster.home, 'kubectl');
  mkdirSync(home, { recursive: true });
  const kubeconfig = join(home, 'config');
  writeFileSync(kubeconfig, await cluster.navctl('kubeconfig'), { mode: 0o600 });
  const env: NodeJS.ProcessEnv = { ...cluster.env, HOME: home, KUBECONFIG: kubeconfig };
  const options = { cwd: root, env, maxBuffer: 64 << 20, timeout: 110_000 };
  const kubectl: Kubectl = {
    env,
    attempt: (args, input) => execute(program, args, input === undefined ? options : { ...options, input }),
    async run(...args) {
      const finished = await kubectl.attempt(args);
      if (finished.code === 0) return finished.stdout;
      throw new Error(`kubectl ${args.join(' ')} ended with ${finished.code}:\n${finished.stderr}${finished.stdout}`);
    },
    // The caller names the shape that it asked for.
    json: async <T>(...args: string[]) => JSON.parse(await kubectl.run(...args, '-o', 'json')) as T,
    atTerminal(args, input) {
      const command = [program, ...args].map(quoted).join(' ');
      return execute('script', ['--quiet', '--return', '--command', command, '/dev/null'], { ...options, input });
    },
    follow: (...args) => follow(spawn(program, args, { cwd: root, env, stdio: 'pipe' })),
    async apply(...manifests) {
      const text = manifests.map((each) => JSON.stringify(each)).join('\n---\n');
      const finished = await kubectl.attempt(['apply', '-f', '-'], text);
      if (finished.code !== 0) throw new Error(`kubectl apply ended with ${finished.code}:\n${finished.stderr}`);
      return finished.stdout;
    },
  };
  return kubectl;
}

function follow(child: ChildProcess): Following {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? -1));
  });
  ended.catch(() => {}); // who awaits it is told
  const holds = (wanted: string | RegExp) => (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text));
  return {
    text: () => text,
    async shows(wanted) {
      try {
        await waitFor(() => holds(wanted), { timeoutMs: 30_000, what: `${wanted} in the output` });
      } catch (cause) {
        throw new Error(`${wanted} did not come; the output was:\n${text}`, { cause });
      }
    },
    type: (input) => void child.stdin?.write(input),
    async stop() {
      child.kill('SIGINT');
      await ended;
    },
    ended,
  };
}

const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;
