import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitFor } from '@navarch/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { startNode, type TestNode } from './node.fixture.ts';
import { aPod, container } from './pod.fixture.ts';

let node: TestNode;
afterEach(() => node.stop());

const phase = (name = 'web') => node.api.get(name).status.phase;
const status = (name = 'web') => node.api.get(name).status.containerStatuses[0];
const running = async () => (await node.runtime.listContainers({})).filter(({ state }) => state === 'running');
const isReady = () =>
  node.api.get('web').status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True');

describe('a node', () => {
  test('runs a Pod and reports it', async () => {
    node = await startNode();
    node.api.put(aPod());
    await waitFor(isReady);
    expect(node.api.get('web').status).toMatchObject({ phase: 'Running', hostIp: '192.0.2.1', podIp: '10.244.0.1' });
    expect(node.events.map(({ reason }) => reason)).toEqual(['Pulled', 'Created', 'Started']);
    expect(node.runtime.callsOf('pullImage')).toBe(0);
  });

  test('writes nothing more once nothing changes', async () => {
    node = await startNode();
    node.api.put(aPod());
    await waitFor(isReady);
    const ofWeb = () =>
      node.api.writes.filter((write) => 'object' in write && write.object.metadata?.name === 'web').length;
    const writes = ofWeb();
    for (let turn = 0; turn < 5; turn++) node.api.put(node.api.get('web'));
    node.api.put(aPod({}, { name: 'other', uid: 'u2' }));
    await waitFor(() => phase('other') === 'Running');
    expect(ofWeb()).toBe(writes);
  });

  test('says again what somebody else wrote over', async () => {
    node = await startNode();
    node.api.put(aPod());
    await waitFor(isReady);
    const web = node.api.get('web');
    const lost = web.status.conditions.map((condition) => ({ ...condition, status: 'False' }));
    node.api.put({ ...web, status: { ...web.status, conditions: lost } });
    await waitFor(isReady);
  });

  test('starts a container again that was killed', async () => {
    node = await startNode();
    node.api.put(aPod());
    await waitFor(isReady);
    const [before] = await running();
    node.runtime.crash(before?.id ?? '', 137);
    await waitFor(() => status()?.restartCount === 1 && isReady());
    expect(status()).toMatchObject({ lastState: { terminated: { exitCode: 137 } } });
  });

  test('makes a new sandbox when the old one dies', async () => {
    node = await startNode();
    node.api.put(aPod());
    await waitFor(isReady);
    const [sandbox] = await node.runtime.listSandboxes({});
    node.runtime.crashSandbox(sandbox?.id ?? '');
    await waitFor(() => status()?.restartCount === 1 && isReady());
    const [newest] = await node.runtime.listSandboxes({});
    expect(newest).toMatchObject({ attempt: 1, ready: true });
  });

  test('takes running Pods over after a restart of the agent', async () => {
    node = await startNode();
    node.api.put(aPod());
    await waitFor(isReady);
    const before = await running();
    const writes = node.api.writes.length;
    await node.restartAgent();
    node.api.put(aPod({}, { name: 'other', uid: 'u2' }));
    await waitFor(() => phase('other') === 'Running');
    expect((await running()).filter(({ id }) => before.some((info) => info.id === id))).toEqual(before);
    expect(
      node.api.writes.slice(writes).filter((write) => 'object' in write && write.object.metadata?.name === 'web'),
    ).toEqual([]);
  });

  test('ends a Pod gracefully and removes it from the api', async () => {
    node = await startNode();
    node.api.put(aPod());
    await waitFor(isReady);
    node.api.askToGo('web', 30);
    await waitFor(() => node.api.pods.size === 0);
    expect(await node.runtime.listSandboxes({})).toEqual([]);
    expect(node.api.writes.at(-1)).toMatchObject({ type: 'delete', options: { gracePeriodSeconds: 0, uid: 'u1' } });
    expect(node.events.map(({ reason }) => reason)).toContain('Killing');
  });

  test('removes what the api no longer has', async () => {
    node = await startNode();
    node.api.put(aPod());
    await waitFor(isReady);
    node.api.remove('web');
    await waitFor(async () => (await node.runtime.listSandboxes({})).length === 0);
  });

  test('takes a Pod over as ready until its probe says otherwise', async () => {
    node = await startNode();
    const file = join(node.dir, 'healthy');
    await writeFile(file, '');
    const readinessProbe = { ...probe, exec: { command: ['test', '-f', file] }, failureThreshold: 1000 };
    node.api.put(aPod({ containers: [container({ readinessProbe })] }));
    await waitFor(isReady);
    await rm(file);
    const writes = node.api.writes.length;
    await node.restartAgent();
    node.api.put(aPod({}, { name: 'other', uid: 'u2' }));
    await waitFor(() => phase('other') === 'Running');
    expect(isReady()).toBe(true);
    expect(
      node.api.writes.slice(writes).some((write) => 'object' in write && write.object.metadata?.name === 'web'),
    ).toBe(false);
  });

  test('removes an orphan that it finds at its start, but not before it knows what is wanted', async () => {
    node = await startNode();
    node.api.put(aPod());
    await waitFor(isReady);
    node.api.pods.clear();
    node.api.desync();
    await node.restartAgent();
    node.api.put(aPod({}, { name: 'other', uid: 'u2' }));
    await waitFor(() => phase('other') === 'Running');
    expect(await running()).toHaveLength(2);
    node.api.askToGo('other', 0);
    await waitFor(() => node.api.pods.size === 0);
    node.api.sync();
    await waitFor(async () => (await node.runtime.listSandboxes({})).length === 0);
  });

  test('replaces a Pod that was made again under the same name', async () => {
    node = await startNode();
    node.api.put(aPod());
    await waitFor(isReady);
    node.api.put(aPod({}, { uid: 'u2' }));
    await waitFor(async () => {
      const sandboxes = await node.runtime.listSandboxes({});
      return sandboxes.length === 1 && sandboxes[0]?.pod.uid === 'u2';
    });
  });

  test.each([
    { what: 'at once', restarts: false },
    { what: 'while the agent was away', restarts: true },
  ])('starts a Pod that was made again $what when nothing of the old one is left', async ({ restarts }) => {
    node = await startNode();
    const { runtime } = node;
    node.api.put(aPod());
    await waitFor(isReady);
    const left: number[] = [];
    const run = runtime.runSandbox.bind(runtime);
    vi.spyOn(runtime, 'runSandbox').mockImplementation(async (config) => {
      left.push((await runtime.listSandboxes({})).length);
      return run(config);
    });
    // The old one takes its time.
    runtime.fail('stopContainer', new Error('not now'));
    if (restarts) await node.restartAgent();
    node.api.put(aPod({}, { uid: 'u2' }));
    await waitFor(isReady);
    await waitFor(async () => (await runtime.listSandboxes({})).some(({ pod }) => pod.uid === 'u2'));
    expect(left).toEqual([0]);
  });

  test('goes on running Pods while the api is down, and catches up', async () => {
    node = await startNode();
    node.api.put(aPod());
    await waitFor(isReady);
    node.api.down = true;
    const [before] = await running();
    node.runtime.crash(before?.id ?? '', 1);
    await waitFor(async () => (await running()).length === 1);
    expect(status()?.restartCount).toBe(0);
    node.api.down = false;
    await waitFor(() => status()?.restartCount === 1);
  });

  test('runs a Pod to its end', async () => {
    node = await startNode({ program: () => ({ exitsWith: 0 }) });
    node.api.put(aPod({ restartPolicy: 'Never' }));
    await waitFor(() => phase() === 'Succeeded');
    await waitFor(async () => (await node.runtime.listSandboxes({})).every(({ ready }) => !ready));
    expect(status()?.state?.terminated).toMatchObject({ exitCode: 0, reason: 'Completed' });
  });

  test('holds a crashing container back', async () => {
    node = await startNode({ program: () => ({ exitsWith: 1 }) });
    node.api.put(aPod());
    await waitFor(() => status()?.state?.waiting?.reason === 'CrashLoopBackOff');
    expect(status()).toMatchObject({ restartCount: 1, lastState: { terminated: { exitCode: 1 } } });
    expect(phase()).toBe('Running');
  });

  test('tells of an image that can not be pulled', async () => {
    node = await startNode({ registry: [] });
    node.api.put(aPod({ containers: [container({ image: 'nothing:1' })] }));
    await waitFor(() => status()?.state?.waiting?.reason === 'ErrImagePull');
    expect(phase()).toBe('Pending');
    node.api.askToGo('web', 30);
    await waitFor(() => node.api.pods.size === 0);
  });

  test('waits for settings that are missing, and says which', async () => {
    node = await startNode();
    const configMap = { name: 'settings', optional: false };
    node.api.put(
      aPod({ containers: [container({ envFrom: [{ prefix: '', configMapRef: configMap, secretRef: undefined }] })] }),
    );
    await waitFor(() => status()?.state?.waiting?.reason === 'CreateContainerConfigError');
    expect(status()?.state?.waiting?.message).toContain('ConfigMap "settings" of envFrom not found');
  });

  test('survives a runtime that fails for a while', async () => {
    node = await startNode();
    node.runtime.fail('runSandbox', new Error('no network'));
    node.api.put(aPod());
    await waitFor(() => status()?.state?.waiting?.reason === 'FailedCreatePodSandBox');
    await waitFor(isReady);
  });

  test('starts again a container whose liveness probe fails', async () => {
    node = await startNode();
    const livenessProbe = { ...probe, exec: { command: ['false'] }, failureThreshold: 1 };
    node.api.put(aPod({ containers: [container({ livenessProbe })] }));
    await waitFor(() => (status()?.restartCount ?? 0) >= 1);
    expect(node.events.some(({ reason, message }) => reason === 'Unhealthy' && message.includes('liveness'))).toBe(
      true,
    );
  });

  test('is ready when the readiness probe says so', async () => {
    node = await startNode();
    const readinessProbe = {
      ...probe,
      exec: { command: ['sh', '-c', 'exit $(cat /proc/sys/kernel/ostype | grep -vc Linux)'] },
    };
    node.api.put(aPod({ containers: [container({ readinessProbe })] }));
    await waitFor(isReady);
  });
});

const probe = {
  exec: undefined,
  httpGet: undefined,
  tcpSocket: undefined,
  initialDelaySeconds: 0,
  timeoutSeconds: 5,
  periodSeconds: 1,
  successThreshold: 1,
  failureThreshold: 3,
};
