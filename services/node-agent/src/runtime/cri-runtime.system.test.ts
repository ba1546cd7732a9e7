import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { waitFor } from '@navarch/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runtimeConformance } from './conformance.ts';
import { startContainerd, type TestContainerd } from './containerd.fixture.ts';
import { CriRuntime } from './cri-runtime.ts';
import type { ContainerConfig } from './runtime.ts';
import { containerConfig, sandboxConfig } from './runtime.fixture.ts';

runtimeConformance('CriRuntime', async () => {
  const containerd = await startContainerd();
  const runtime = new CriRuntime({ socket: containerd.socket, stateDir: `${containerd.dir}/agent` });
  return {
    runtime,
    logRoot: `${containerd.dir}/logs`,
    listen: (port) => ['nc', '-l', '-p', String(port), '-e', 'sh', '-c', 'echo hello; wc -c'],
    stop: async () => {
      runtime.close();
      await containerd.stop();
    },
  };
});

let containerd: TestContainerd;
let runtime: CriRuntime;
let sandboxId: string;
let containerId: string;
beforeAll(async () => {
  containerd = await startContainerd();
  runtime = new CriRuntime({ socket: containerd.socket, stateDir: `${containerd.dir}/agent` });
  await waitFor(async () => (await runtime.status()).networkReady);
  const sandbox = { ...sandboxConfig('one'), logDirectory: `${containerd.dir}/logs/one` };
  sandboxId = await runtime.runSandbox(sandbox);
  containerId = await runtime.createContainer(sandboxId, containerConfig('one'), sandbox);
  await runtime.startContainer(containerId);
});
afterAll(async () => {
  runtime?.close();
  await containerd?.stop();
});

test('a terminal has a size that changes, one stream, and the exit code of its process', async () => {
  const shell = await runtime.exec(containerId, { command: ['/bin/sh'], tty: true, stdin: true });
  expect(shell.stderr).toBeUndefined();
  let output = '';
  shell.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  await shell.resize(91, 33);
  shell.stdin?.write('stty size; echo $GREETING\n');
  await waitFor(() => output.includes('33 91') && output.includes('hello'));
  shell.stdin?.write('exit 5\n');
  expect(await shell.exit).toEqual({ exitCode: 5 });
});

test('a megabyte goes through an exec whole, out and in, and a killed one ends', async () => {
  const big = await runtime.exec(containerId, {
    command: ['sh', '-c', 'yes | head -c 1000000'],
    tty: false,
    stdin: false,
  });
  expect((await text(big.stdout)).length).toBe(1_000_000);
  const counted = await runtime.exec(containerId, { command: ['wc', '-c'], tty: false, stdin: true });
  counted.stdin?.end(Buffer.alloc(1_000_000, 'x'));
  expect((await text(counted.stdout)).trim()).toBe('1000000');
  const long = await runtime.exec(containerId, { command: ['sleep', '1000'], tty: false, stdin: false });
  long.stdout.resume();
  await long.kill(9);
  expect(await long.exit).toEqual({ exitCode: 137 });
});

test('logs are written in the CRI format, resources and DNS are set', async () => {
  const log = await readFile(`${containerd.dir}/logs/one/main/0.log`, 'utf8');
  expect(log).toMatch(/^\S+ stdout F ready\n/);
  const dns = await runtime.execSync(containerId, ['cat', '/etc/resolv.conf'], { timeoutMs: 5000 });
  expect(dns.stdout.toString()).toContain('nameserver 10.96.0.10');
  const host = await runtime.execSync(containerId, ['hostname'], { timeoutMs: 5000 });
  expect(host.stdout.toString().trim()).toBe('pod-one');
  await waitFor(async () => (await runtime.stats()).some((usage) => usage.containerId === containerId));
});

test('an execSync past its limit fails with Timeout', async () => {
  await expect(runtime.execSync(containerId, ['sleep', '60'], { timeoutMs: 1000 })).rejects.toMatchObject({
    reason: 'Timeout',
  });
});

test('a terminal can be attached to, and has the size it is given', async () => {
  const sandbox = { ...sandboxConfig('tty'), logDirectory: `${containerd.dir}/logs/tty` };
  const tty = await runtime.runSandbox(sandbox);
  const shell = { ...containerConfig('tty'), command: ['sh'], stdin: true, tty: true };
  const id = await runtime.createContainer(tty, shell, sandbox);
  await runtime.startContainer(id);
  const attached = await runtime.attach(id, { stdin: true, tty: true });
  let output = '';
  attached.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  await attached.resize(91, 33);
  await waitFor(
    () => {
      attached.stdin?.write('stty size\n');
      return output.includes('33 91');
    },
    { intervalMs: 100 },
  );
  attached.stdin?.write('exit 5\n');
  await waitFor(async () => (await runtime.listContainers({ uid: 'tty' }))[0]?.exitCode === 5);
});

test('a container sees the processes of another, where it is to', async () => {
  const sandbox = { ...sandboxConfig('one'), logDirectory: `${containerd.dir}/logs/one` };
  const seen = async (name: string, pid: ContainerConfig['security']['pid']) => {
    const { security, ...config } = containerConfig('one');
    const command = ['sleep', '777'];
    const id = await runtime.createContainer(
      sandboxId,
      { ...config, name, command, logPath: `${name}.log`, security: { ...security, pid } },
      sandbox,
    );
    await runtime.startContainer(id);
    const { stdout } = await runtime.execSync(id, ['ps'], { timeoutMs: 5000 });
    return stdout.toString().includes('trap "exit 7" TERM');
  };
  expect(await seen('looks', { type: 'container', containerId })).toBe(true);
  expect(await seen('alone', { type: 'own' })).toBe(false);
});
