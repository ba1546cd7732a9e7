import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { ApiError } from '@navarch/machinery';
import { freePort, waitFor } from '@navarch/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ContainerConfig, Runtime, SandboxConfig } from './runtime.ts';
import { containerConfig, sandboxConfig, testImage as image } from './runtime.fixture.ts';

export interface RuntimeUnderTest {
  readonly runtime: Runtime;
  readonly logRoot: string;
  /** A command that takes one connection, says "hello", and then how many bytes it was sent. */
  readonly listen: (port: number) => readonly string[];
  stop(): Promise<void>;
}

/** What every Runtime promises. */
export function runtimeConformance(name: string, start: () => Promise<RuntimeUnderTest>): void {
  describe(`${name} is a Runtime`, () => {
    let subject: RuntimeUnderTest;
    let runtime: Runtime;
    beforeAll(async () => {
      subject = await start();
      runtime = subject.runtime;
    });
    afterAll(() => subject?.stop());

    const sandbox = (uid: string): SandboxConfig => ({
      ...sandboxConfig(uid),
      logDirectory: `${subject.logRoot}/${uid}`,
    });
    async function running(uid: string, change: Partial<ContainerConfig> = {}) {
      const config = sandbox(uid);
      const sandboxId = await runtime.runSandbox(config);
      const id = await runtime.createContainer(sandboxId, { ...containerConfig(uid), ...change }, config);
      await runtime.startContainer(id);
      return { sandboxId, id };
    }
    const container = async (uid: string, id: string) =>
      (await runtime.listContainers({ uid })).find((info) => info.id === id);

    test('says what it is and that it is ready', async () => {
      expect((await runtime.version()).name).not.toBe('');
      await waitFor(async () => (await runtime.status()).networkReady);
      expect(await runtime.status()).toMatchObject({ runtimeReady: true, networkReady: true, message: '' });
    });

    test('knows an image that is there and one that is not', async () => {
      expect((await runtime.imageStatus(image))?.tags).toContain(image);
      expect(await runtime.imageStatus('registry.invalid/nothing:1')).toBeUndefined();
      await expect(runtime.pullImage('registry.invalid/nothing:1', {})).rejects.toThrow(/registry\.invalid/);
    });

    test('carries a container through its life', async () => {
      const config = sandbox('life');
      const sandboxId = await runtime.runSandbox(config);
      expect(await runtime.listSandboxes({ uid: 'life' })).toMatchObject([
        { id: sandboxId, ready: true, attempt: 0, pod: config.pod, annotations: { note: 'kept' } },
      ]);
      expect(await runtime.sandboxIp(sandboxId)).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      const id = await runtime.createContainer(sandboxId, containerConfig('life'), config);
      expect(await container('life', id)).toMatchObject({ state: 'created', startedAtMs: 0, name: 'main', sandboxId });
      await runtime.startContainer(id);
      expect(await container('life', id)).toMatchObject({ state: 'running', finishedAtMs: 0 });
      await runtime.stopContainer(id, 5);
      expect(await container('life', id)).toMatchObject({ state: 'exited', exitCode: 7 });
      await runtime.stopContainer(id, 5);
      await runtime.removeContainer(id);
      await runtime.removeContainer(id);
      expect(await runtime.listContainers({ uid: 'life' })).toEqual([]);
      await runtime.stopSandbox(sandboxId);
      expect(await runtime.listSandboxes({ uid: 'life' })).toMatchObject([{ ready: false }]);
      await runtime.removeSandbox(sandboxId);
      await runtime.removeSandbox(sandboxId);
      expect(await runtime.listSandboxes({ uid: 'life' })).toEqual([]);
    });

    test('kills a container that does not end in time', async () => {
      const { sandboxId, id } = await running('deaf', {
        command: ['/bin/sh', '-c', 'trap "" TERM; while :; do sleep 1; done'],
      });
      await runtime.stopContainer(id, 1);
      expect(await container('deaf', id)).toMatchObject({ state: 'exited', exitCode: 137 });
      await runtime.stopSandbox(sandboxId);
      await runtime.removeSandbox(sandboxId);
    });

    test('tells of an exit, and lists what there is', async () => {
      const abort = new AbortController();
      const seen: string[] = [];
      const reading = (async () => {
        for await (const exit of runtime.exits(abort.signal)) seen.push(exit.id);
      })();
      const { sandboxId, id } = await running('exit');
      const { containers, sandboxes } = await runtime.snapshot();
      expect(containers).toContainEqual(expect.objectContaining({ id, sandboxId, state: 'running' }));
      expect(sandboxes.map((info) => info.id)).toContain(sandboxId);
      await runtime.stopContainer(id, 0);
      await waitFor(() => seen.includes(id));
      abort.abort();
      await reading;
      await runtime.stopSandbox(sandboxId);
      await runtime.removeSandbox(sandboxId);
    });

    test('runs commands in a container', async () => {
      const { sandboxId, id } = await running('exec');
      const sync = await runtime.execSync(id, ['/bin/sh', '-c', 'echo out; echo err >&2; exit 3'], { timeoutMs: 5000 });
      expect([sync.exitCode, sync.stdout.toString(), sync.stderr.toString()]).toEqual([3, 'out\n', 'err\n']);

      const cat = await runtime.exec(id, {
        command: ['/bin/sh', '-c', 'cat; echo end >&2; exit 4'],
        tty: false,
        stdin: true,
      });
      cat.stdin?.end('through\n');
      const [out, err, exit] = await Promise.all([text(cat.stdout), text(cat.stderr ?? cat.stdout), cat.exit]);
      expect([out, err, exit.exitCode]).toEqual(['through\n', 'end\n', 4]);

      await expect(
        runtime.exec('no-such-container', { command: ['x'], tty: false, stdin: false }),
      ).rejects.toMatchObject({
        reason: 'NotFound',
      });
      await expect(runtime.exec(id, { command: ['/no/such'], tty: false, stdin: false })).rejects.toMatchObject({
        reason: 'BadRequest',
      });
      await runtime.stopSandbox(sandboxId);
      await runtime.removeSandbox(sandboxId);
    });

    test('attaches to what a container reads and writes, until it ends', async () => {
      const { sandboxId, id } = await running('attach', {
        command: ['/bin/sh', '-c', 'while read line; do echo "got $line"; echo "err $line" >&2; done; exit 3'],
        stdin: true,
        stdinOnce: true,
      });
      const watching = await runtime.attach(id, { stdin: false, tty: false });
      const watched = text(watching.stdout);
      const attached = await runtime.attach(id, { stdin: true, tty: false });
      attached.stdin?.write('one\n');
      attached.stdin?.end('two\n');
      const [out, err] = await Promise.all([text(attached.stdout), text(attached.stderr!)]);
      expect([out, err]).toEqual(['got one\ngot two\n', 'err one\nerr two\n']);
      expect(await watched).toBe(out);
      await waitFor(async () => (await container('attach', id))?.exitCode === 3);
      await expect(runtime.attach('no-such', { stdin: false, tty: false })).rejects.toMatchObject({
        reason: 'NotFound',
      });
      await runtime.stopSandbox(sandboxId);
      await runtime.removeSandbox(sandboxId);
    });

    test('lets go of a container that keeps its stdin, which goes on', async () => {
      const { sandboxId, id } = await running('detach', {
        command: ['/bin/sh', '-c', 'while read line; do echo "got $line"; done'],
        stdin: true,
      });
      for (const word of ['one', 'two']) {
        const attached = await runtime.attach(id, { stdin: true, tty: false });
        attached.stdin?.write(`${word}\n`);
        const [line] = await once(attached.stdout, 'data');
        expect(String(line)).toBe(`got ${word}\n`);
        if (word === 'one') attached.stdin?.end();
        else attached.close();
        expect(await text(attached.stdout)).toBe('');
      }
      expect(await container('detach', id)).toMatchObject({ state: 'running' });
      await runtime.stopSandbox(sandboxId);
      await runtime.removeSandbox(sandboxId);
    });

    test('dials what listens on the loopback of a sandbox, and says when nothing does', async () => {
      const { sandboxId, id } = await running('dial', { command: ['sleep', '1000'] });
      const port = await freePort();
      const listen = await runtime.exec(id, {
        command: subject.listen(port),
        tty: false,
        stdin: false,
      });
      const network = await runtime.network(sandboxId);
      const socket = await waitFor(() => network.dial(port));
      // What it says comes although everything was sent before.
      socket.end(Buffer.alloc(300_000));
      expect((await text(socket)).split(/\s+/).slice(0, 2)).toEqual(['hello', '300000']);
      await listen.exit;
      await expect(network.dial(port)).rejects.toMatchObject({
        reason: 'BadRequest',
        message: expect.stringContaining('connection refused'),
      });
      network.close();
      await runtime.stopSandbox(sandboxId);
      await expect(runtime.network(sandboxId)).rejects.toThrow(ApiError);
      await runtime.removeSandbox(sandboxId);
    });

    test('counts what running containers use', async () => {
      const { sandboxId, id } = await running('used');
      const read = async () => (await runtime.stats()).find(({ containerId }) => containerId === id);
      const first = await waitFor(read);
      expect(first).toMatchObject({ labels: { uid: 'used' } });
      const later = await waitFor(async () => {
        const now = await read();
        return now !== undefined && now.timestampMs > first.timestampMs && now;
      });
      expect(later.cpuNanoseconds).toBeGreaterThanOrEqual(first.cpuNanoseconds);
      await runtime.stopContainer(id, 0);
      await waitFor(async () => (await read()) === undefined);
      await runtime.stopSandbox(sandboxId);
      await runtime.removeSandbox(sandboxId);
    });

    test('answers NotFound for what it never had', async () => {
      await expect(runtime.startContainer('never')).rejects.toMatchObject({ reason: 'NotFound' });
      await expect(runtime.sandboxIp('never')).rejects.toMatchObject({ reason: 'NotFound' });
      await runtime.stopContainer('never', 0);
      await runtime.removeSandbox('never');
    });
  });
}
