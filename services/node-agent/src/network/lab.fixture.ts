/**
 * Machines on one wire, made of network namespaces: each with our network, with Pods that the real CNI plugins attach,
 * and an outside from which they are reached.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@navarch/testing';
import type { Request, World } from './node.fixture.ts';

const cniBinDir = process.env.NAVARCH_CNI_BIN_DIR ?? '/usr/lib/cni';
const here = fileURLToPath(new URL('.', import.meta.url));
const outsideIp = '192.0.2.1';

export class Lab {
  readonly directory = mkdtempSync(join(tmpdir(), 'nv-net-'));
  readonly outsideIp = outsideIp;
  readonly #prefix = `nv${process.pid}${Math.floor(Math.random() * 1000)}`;
  readonly #spaces: string[] = [];
  readonly #children: ChildProcess[] = [];
  readonly #nodes: LabNode[] = [];
  readonly outside: string;

  constructor() {
    this.outside = this.space('out');
    run('ip', ['-n', this.outside, 'link', 'add', 'wire', 'type', 'bridge']);
    run('ip', ['-n', this.outside, 'address', 'add', `${outsideIp}/24`, 'dev', 'wire']);
    run('ip', ['-n', this.outside, 'link', 'set', 'wire', 'up']);
  }

  /** A network namespace with a loopback device. */
  space(name: string): string {
    const full = `${this.#prefix}${name}`;
    run('ip', ['netns', 'add', full]);
    this.#spaces.push(full);
    run('ip', ['-n', full, 'link', 'set', 'lo', 'up']);
    return full;
  }

  /** A machine on the wire with our network running. */
  node(name: string, ip: string): LabNode {
    const space = this.space(name);
    run('ip', ['-n', this.outside, 'link', 'add', `w${name}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space]);
    run('ip', ['-n', this.outside, 'link', 'set', `w${name}`, 'master', 'wire', 'up']);
    run('ip', ['-n', space, 'address', 'add', `${ip}/24`, 'dev', 'eth0']);
    run('ip', ['-n', space, 'link', 'set', 'eth0', 'up']);
    run('ip', ['-n', space, 'route', 'add', 'default', 'via', outsideIp]);
    const directory = join(this.directory, name);
    const resolvConf = join(this.directory, `${name}.resolv.conf`);
    writeFileSync(resolvConf, `nameserver 10.96.0.10\nnameserver ${outsideIp}\n`);
    const child = this.spawn(space, join(here, 'node.fixture.ts'), [name, ip, directory, resolvConf]);
    const node = new LabNode(this, space, name, ip, directory, child);
    this.#nodes.push(node);
    return node;
  }

  /** A Node program inside a namespace. */
  spawn(space: string, file: string, args: readonly string[] = []): ChildProcess {
    const command = [
      `--net=/run/netns/${space}`,
      process.execPath,
      '--conditions=source',
      '--no-warnings',
      file,
      ...args,
    ];
    const child = spawn('nsenter', command, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#children.push(child);
    return child;
  }

  /** Runs JavaScript (an async function's body) inside a namespace; what it returns comes back as text. */
  eval(space: string, body: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const program = `(async () => {${body}})().then((r) => { process.stdout.write(String(r)); process.exit(0); }, (e) => { process.stdout.write('failed: ' + (e.cause?.code ?? e.code ?? e.message)); process.exit(0); })`;
      const child = spawn('nsenter', [`--net=/run/netns/${space}`, process.execPath, '-e', program], {
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: 30_000,
      });
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
      child.on('error', reject);
      child.on('close', () => resolve(output));
    });
  }

  /** Which Pods answered `times` requests, each by a new connection, and as whom they saw the asker. */
  async ask(space: string, url: string, times = 1): Promise<{ pods: string[]; seenAs: string[]; failed: string[] }> {
    const text = await this.eval(
      space,
      `const http = require('node:http'); const out = [];
       const get = () => new Promise((resolve) => { const r = http.get('${url}', { agent: false, timeout: 3000 }, (res) => { let t = ''; res.on('data', (c) => t += c); res.on('end', () => resolve(t)); }); r.on('timeout', () => r.destroy(new Error('timeout'))); r.on('error', (e) => resolve('failed ' + (e.code ?? e.message))); });
       for (let i = 0; i < ${times}; i++) out.push(await get());
       return out.join('\\n');`,
    );
    const answers = text.split('\n');
    const good = answers.filter((answer) => answer.startsWith('pod '));
    return {
      pods: [...new Set(good.map((answer) => answer.split(' ')[1] ?? ''))].toSorted(),
      seenAs: [...new Set(good.map((answer) => answer.split(' ')[2] ?? ''))].toSorted(),
      failed: answers.filter((answer) => !answer.startsWith('pod ')),
    };
  }

  /** Runs a command inside a namespace. */
  run(space: string, command: string, ...args: readonly string[]): string {
    return run('nsenter', [`--net=/run/netns/${space}`, command, ...args]);
  }

  async end(): Promise<void> {
    for (const node of this.#nodes) node.end();
    await Promise.all(this.#children.map(ended));
    for (const space of this.#spaces.toReversed()) run('ip', ['netns', 'del', space]);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export class LabNode {
  readonly space: string;
  readonly name: string;
  readonly ip: string;
  readonly directory: string;
  readonly #lab: Lab;
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #lines: Interface;
  readonly #pods: { readonly space: string; readonly id: string }[] = [];

  constructor(lab: Lab, space: string, name: string, ip: string, directory: string, child: ChildProcess) {
    this.#lab = lab;
    this.space = space;
    this.name = name;
    this.ip = ip;
    this.directory = directory;
    this.#child = child;
    if (child.stdout === null) throw new Error('the node has no output');
    this.#lines = createInterface(child.stdout);
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  /** Makes the caches show `world`, and waits until the kernel does. Resolves with the milliseconds it took. */
  show(world: World): Promise<number> {
    return this.#send({ show: world });
  }

  /** Waits as the agent does before a Pod is told to end. */
  removed(podKey: string, longestMs: number): Promise<number> {
    return this.#send({ removed: podKey, longestMs });
  }

  /** A Pod on this node, attached by CNI, that answers HTTP on port 8080 and UDP on 5353 with its name. */
  async pod(name: string): Promise<{ readonly ip: string; readonly space: string }> {
    const space = this.#lab.space(`p${name}`);
    const ip = this.#cni('ADD', space, name);
    this.#pods.push({ space, id: name });
    this.#lab.spawn(space, join(here, 'pod.fixture.ts'), [name]);
    await waitFor(async () => (await this.#lab.ask(space, 'http://127.0.0.1:8080/')).pods[0] === name, {
      what: `Pod ${name}`,
      timeoutMs: 20_000,
    });
    return { ip, space };
  }

  run(command: string, ...args: readonly string[]): string {
    return run('nsenter', [`--net=/run/netns/${this.space}`, command, ...args]);
  }

  end(): void {
    for (const { space, id } of this.#pods) this.#cni('DEL', space, id);
    this.#lines.close();
  }

  async #send(request: Request): Promise<number> {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`node ${this.name} ended`);
    return Number(value);
  }

  /** What containerd does with our configuration. */
  #cni(command: 'ADD' | 'DEL', space: string, id: string): string {
    const config = JSON.parse(readFileSync(join(this.directory, 'cni/10-navarch.conflist'), 'utf8')) as {
      cniVersion: string;
      name: string;
      plugins: { type: string }[];
    }; // ours
    const [plugin] = config.plugins;
    const input = JSON.stringify({ cniVersion: config.cniVersion, name: config.name, ...plugin });
    const env = {
      CNI_COMMAND: command,
      CNI_CONTAINERID: id,
      CNI_NETNS: `/run/netns/${space}`,
      CNI_IFNAME: 'eth0',
      CNI_PATH: cniBinDir,
      PATH: process.env.PATH ?? '',
    };
    const output = execFileSync('nsenter', [`--net=/run/netns/${this.space}`, join(cniBinDir, plugin?.type ?? '')], {
      input,
      env,
    }).toString();
    if (command === 'DEL') return '';
    const result = JSON.parse(output) as { ips: { address: string }[] }; // the CNI specification's result
    return result.ips[0]?.address.split('/')[0] ?? '';
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
}
