import { describe, expect, test } from 'vitest';
import { aPod, container, instance, memory, now, observed, sandbox } from './pod.fixture.ts';
import { podStatus } from './status.ts';

const status = (...[pod, seen]: [ReturnType<typeof aPod>, ReturnType<typeof observed>]) =>
  podStatus(pod, seen, '192.0.2.1', now);
const ready = (result: ReturnType<typeof status>) => result.conditions.find(({ type }) => type === 'Ready');
const failure = { count: 1, atMs: now, reason: 'ErrImagePull', message: 'registry says no' };

describe('the status of a Pod', () => {
  test('that has nothing yet is Pending', () => {
    const result = status(aPod(), observed());
    expect(result).toMatchObject({ phase: 'Pending', hostIp: '192.0.2.1', podIp: '', qosClass: 'BestEffort' });
    expect(result.startTime).toBe('2026-01-01T12:00:00Z');
    expect(result.containerStatuses[0]).toMatchObject({
      ready: false,
      state: { waiting: { reason: 'ContainerCreating' } },
    });
    expect(ready(result)).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: expect.stringContaining('[main]'),
    });
  });

  test('that runs is Running, Ready, and has an address', () => {
    const result = status(aPod(), observed({ sandboxes: [sandbox()], containers: [instance()], ip: '10.0.0.2' }));
    expect(result).toMatchObject({ phase: 'Running', podIp: '10.0.0.2', podIps: [{ ip: '10.0.0.2' }] });
    expect(result.containerStatuses[0]).toMatchObject({
      ready: true,
      started: true,
      restartCount: 0,
      containerId: 'containerd://main-0',
    });
    expect(ready(result)?.status).toBe('True');
  });

  test('is at rest when nothing changes', () => {
    const seen = observed({ sandboxes: [sandbox()], containers: [instance()], ip: '10.0.0.2' });
    const first = status(aPod(), seen);
    expect(podStatus(aPod({}, {}, first), seen, '192.0.2.1', now + 60_000)).toEqual(first);
  });

  test('tells why an image is not there', () => {
    const failures = new Map([['pull busybox:1', failure]]);
    const seen = (count: number) =>
      observed({
        sandboxes: [sandbox()],
        memory: memory({ failures: new Map([...failures].map(([k, v]) => [k, { ...v, count }])) }),
      });
    expect(status(aPod(), seen(1)).containerStatuses[0]?.state?.waiting?.reason).toBe('ErrImagePull');
    expect(status(aPod(), seen(2)).containerStatuses[0]?.state?.waiting).toMatchObject({
      reason: 'ImagePullBackOff',
      message: 'back-off 20s pulling image "busybox:1": registry says no',
    });
  });

  test('tells of a container that keeps crashing', () => {
    const seen = observed({
      sandboxes: [sandbox()],
      containers: [instance({ attempt: 2, state: 'exited', exitCode: 3, backoffMs: 10_000 })],
    });
    expect(status(aPod(), seen)).toMatchObject({
      phase: 'Running',
      containerStatuses: [
        {
          restartCount: 2,
          state: { waiting: { reason: 'CrashLoopBackOff', message: expect.stringContaining('back-off 20s') } },
          lastState: { terminated: { exitCode: 3, reason: 'Error' } },
        },
      ],
    });
  });

  test.each([
    { policy: 'Never', exitCodes: [0, 0], phase: 'Succeeded' },
    { policy: 'Never', exitCodes: [0, 1], phase: 'Failed' },
    { policy: 'OnFailure', exitCodes: [0, 0], phase: 'Succeeded' },
    { policy: 'OnFailure', exitCodes: [0, 1], phase: 'Running' },
    { policy: 'Always', exitCodes: [0, 0], phase: 'Running' },
  ])('under $policy with exit codes $exitCodes is $phase', ({ policy, exitCodes, phase }) => {
    const names = ['a', 'b'];
    const pod = aPod({ restartPolicy: policy, containers: names.map((name) => container({ name })) });
    const containers = names.map((name, index) => instance({ name, state: 'exited', exitCode: exitCodes[index] ?? 0 }));
    expect(status(pod, observed({ sandboxes: [sandbox()], containers })).phase).toBe(phase);
  });

  test('that finished stays so, whatever is lost later', () => {
    expect(status(aPod({}, {}, { phase: 'Succeeded' }), observed())).toMatchObject({ phase: 'Succeeded', podIp: '' });
  });

  test('waits for init containers', () => {
    const pod = aPod({ initContainers: [container({ name: 'init' })] });
    const result = status(pod, observed({ sandboxes: [sandbox()], containers: [instance({ name: 'init' })] }));
    expect(result.phase).toBe('Pending');
    expect(result.containerStatuses[0]?.state?.waiting?.reason).toBe('PodInitializing');
    expect(result.conditions.find(({ type }) => type === 'Initialized')?.status).toBe('False');
  });

  test('is ready only when its readiness probe says so', () => {
    const pod = aPod({ containers: [container({ readinessProbe: { ...emptyProbe } })] });
    const seen = (isReady: boolean) =>
      observed({
        sandboxes: [sandbox()],
        containers: [instance()],
        memory: memory({ health: new Map([['main-0', { started: true, ready: isReady }]]) }),
      });
    expect(ready(status(pod, seen(false)))?.status).toBe('False');
    expect(ready(status(pod, seen(true)))?.status).toBe('True');
  });

  test.each([
    { name: 'that was asked to go and returned 0 has succeeded', exitCode: 0, phase: 'Succeeded' },
    { name: 'that was asked to go and was ended by a signal has failed', exitCode: 143, phase: 'Failed' },
  ])('$name, whatever its restart policy', ({ exitCode, phase }) => {
    for (const restartPolicy of ['Always', 'OnFailure', 'Never']) {
      const pod = aPod({ restartPolicy }, { deletionTimestamp: '2026-01-01T11:59:00Z' }, { phase: 'Running' });
      const seen = (state: 'running' | 'exited') =>
        status(pod, observed({ sandboxes: [sandbox()], containers: [instance({ state, exitCode })] })).phase;
      expect(seen('running')).toBe('Running');
      expect(seen('exited')).toBe(phase);
    }
  });

  test('that was asked to go before anything of it ran has failed', () => {
    const pod = aPod({}, { deletionTimestamp: '2026-01-01T11:59:00Z' }, { phase: 'Pending' });
    expect(status(pod, observed()).phase).toBe('Failed');
  });

  test('that was active for too long has failed once its containers have ended', () => {
    const pod = aPod({ activeDeadlineSeconds: 5 }, {}, { startTime: new Date(now - 6_000).toISOString() });
    const seen = (state: 'running' | 'exited') =>
      status(pod, observed({ sandboxes: [sandbox()], containers: [instance({ state })] }));
    expect(seen('running')).toMatchObject({ phase: 'Running', reason: '' });
    expect(seen('exited')).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' });
  });
});

const emptyProbe = {
  exec: undefined,
  httpGet: undefined,
  tcpSocket: undefined,
  initialDelaySeconds: 0,
  timeoutSeconds: 1,
  periodSeconds: 10,
  successThreshold: 1,
  failureThreshold: 3,
};
