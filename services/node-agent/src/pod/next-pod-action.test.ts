import { EphemeralContainer } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import type { DesiredPod, ObservedPod, PodAction } from './model.ts';
import { nextPodAction } from './next-pod-action.ts';
import { aPod, container, instance, memory, now, observed, sandbox } from './pod.fixture.ts';

interface Case {
  readonly name: string;
  readonly desired?: Partial<DesiredPod>;
  readonly observed: ObservedPod;
  readonly action: PodAction;
}

function check(cases: readonly Case[]): void {
  test.each(cases)('$name', ({ desired, observed, action }) => {
    expect(nextPodAction({ pod: aPod(), gone: false, ...desired }, observed, now)).toEqual(action);
  });
}

const failure = { count: 1, atMs: now - 2_000, reason: 'ErrImagePull', message: 'no' };
const running = { sandboxes: [sandbox()], containers: [instance()], ip: '10.0.0.2' };
const start = (change: Partial<Extract<PodAction, { type: 'startContainer' }>> = {}): PodAction => ({
  type: 'startContainer',
  container: 'main',
  sandboxId: 's1',
  attempt: 0,
  backoffMs: 0,
  ...change,
});
const wait = (reason: string, untilMs?: number): PodAction => ({ type: 'wait', reason, untilMs });

describe('an ephemeral container', () => {
  const look = EphemeralContainer.fromPartial({ name: 'look', image: 'busybox:1', targetContainerName: 'main' });
  const pod = aPod({ ephemeralContainers: [look] });
  const seen = { state: { running: { startedAt: '2026-01-01T00:00:00Z' } }, name: 'look' };
  const known = aPod({ ephemeralContainers: [look] }, {}, { ephemeralContainerStatuses: [seen] as never });
  check([
    {
      name: 'starts beside what runs',
      desired: { pod },
      observed: observed(running),
      action: start({ container: 'look' }),
    },
    {
      name: 'waits for the container that it is to look into',
      desired: { pod },
      observed: observed({ ...running, containers: [instance({ state: 'exited', attempt: 1, backoffMs: 10_000 })] }),
      action: wait('CrashLoopBackOff', now - 1_000 + 20_000),
    },
    {
      name: 'is not started again when it has ended',
      desired: { pod },
      observed: observed({
        ...running,
        containers: [instance(), instance({ name: 'look', state: 'exited', exitCode: 1 })],
      }),
      action: wait('running'),
    },
    {
      name: 'nor when the machine lost it',
      desired: { pod: known },
      observed: observed(running),
      action: wait('running'),
    },
  ]);
});

describe('a new Pod', () => {
  check([
    {
      name: 'gets its volumes',
      observed: observed({ memory: memory({ volumesReady: false }) }),
      action: { type: 'mountVolumes' },
    },
    { name: 'then its sandbox', observed: observed(), action: { type: 'createSandbox', attempt: 0 } },
    {
      name: 'waits after a sandbox that failed',
      observed: observed({ memory: memory({ failures: new Map([['sandbox', { ...failure, atMs: now - 500 }]]) }) }),
      action: wait('ErrImagePull', now + 500),
    },
    {
      name: 'then its image',
      observed: observed({ sandboxes: [sandbox()], memory: memory({ images: new Map() }) }),
      action: { type: 'pullImage', container: 'main', image: 'busybox:1', attempt: 0 },
    },
    {
      name: 'waits after a pull that failed, longer each time',
      observed: observed({
        sandboxes: [sandbox()],
        memory: memory({ images: new Map(), failures: new Map([['pull busybox:1', { ...failure, count: 3 }]]) }),
      }),
      action: wait('ErrImagePull', now - 2_000 + 40_000),
    },
    { name: 'then its container', observed: observed({ sandboxes: [sandbox()] }), action: start() },
    {
      name: 'pulls for each start when the policy says so',
      desired: { pod: aPod({ containers: [container({ imagePullPolicy: 'Always' })] }) },
      observed: observed({ sandboxes: [sandbox()], memory: memory({ pulledFor: new Map([['main', 3]]) }) }),
      action: { type: 'pullImage', container: 'main', image: 'busybox:1', attempt: 0 },
    },
    {
      name: 'makes a container anew that was made and never started',
      observed: observed({ sandboxes: [sandbox()], containers: [instance({ state: 'created' })] }),
      action: { type: 'removeContainer', containerId: 'main-0' },
    },
    { name: 'rests when it runs', observed: observed(running), action: wait('running') },
    {
      name: 'counts on from what the api knows when the machine lost everything',
      desired: {
        pod: aPod({}, {}, { containerStatuses: [status('main', 4)] }),
      },
      observed: observed({ sandboxes: [sandbox()] }),
      action: start({ attempt: 5 }),
    },
  ]);
});

describe('init containers', () => {
  const pod = aPod({ initContainers: [container({ name: 'a' }), container({ name: 'b' })] });
  const done = (name: string) => instance({ name, state: 'exited', exitCode: 0 });
  check([
    {
      name: 'run one',
      desired: { pod },
      observed: observed({ sandboxes: [sandbox()] }),
      action: start({ container: 'a' }),
    },
    {
      name: 'after another',
      desired: { pod },
      observed: observed({ sandboxes: [sandbox()], containers: [done('a')] }),
      action: start({ container: 'b' }),
    },
    {
      name: 'hold the containers back while one runs',
      desired: { pod },
      observed: observed({ sandboxes: [sandbox()], containers: [instance({ name: 'b' }), done('a')] }),
      action: wait('running'),
    },
    {
      name: 'let the containers go once all are through',
      desired: { pod },
      observed: observed({ sandboxes: [sandbox()], containers: [done('b'), done('a')] }),
      action: start(),
    },
    {
      name: 'run again in a new sandbox',
      desired: { pod },
      observed: observed({ sandboxes: [sandbox({ id: 's2', attempt: 1 })], containers: [done('b'), done('a')] }),
      action: start({ container: 'a', sandboxId: 's2', attempt: 1 }),
    },
    {
      name: 'end a Pod that is never restarted when one fails',
      desired: { pod: aPod({ restartPolicy: 'Never', initContainers: [container({ name: 'a' })] }) },
      observed: observed({
        sandboxes: [sandbox()],
        containers: [instance({ name: 'a', state: 'exited', exitCode: 1 })],
      }),
      action: { type: 'stopSandbox', sandboxId: 's1' },
    },
  ]);
});

describe('a container that ended', () => {
  const ended = (change: Parameters<typeof instance>[0]) =>
    observed({ sandboxes: [sandbox()], containers: [instance({ state: 'exited', exitCode: 1, ...change })] });
  const at = now - 1_000;
  check([
    { name: 'starts again at once the first time', observed: ended({}), action: start({ attempt: 1 }) },
    { name: 'then waits 10 s', observed: ended({ attempt: 1 }), action: wait('CrashLoopBackOff', at + 10_000) },
    {
      name: 'then twice as long',
      observed: ended({ attempt: 2, backoffMs: 10_000 }),
      action: wait('CrashLoopBackOff', at + 20_000),
    },
    {
      name: 'five minutes at most',
      observed: ended({ attempt: 9, backoffMs: 300_000 }),
      action: wait('CrashLoopBackOff', at + 300_000),
    },
    {
      name: 'starts once the wait is over',
      observed: ended({ attempt: 2, backoffMs: 10_000, finishedAtMs: now - 20_000, startedAtMs: now - 21_000 }),
      action: start({ attempt: 3, backoffMs: 20_000 }),
    },
    {
      name: 'starts at once after it ran for ten minutes',
      observed: ended({ attempt: 9, backoffMs: 300_000, startedAtMs: now - 700_000 }),
      action: start({ attempt: 10 }),
    },
    {
      name: 'stays ended under Never, and the Pod with it',
      desired: { pod: aPod({ restartPolicy: 'Never' }) },
      observed: ended({}),
      action: { type: 'stopSandbox', sandboxId: 's1' },
    },
    {
      name: 'stays ended under OnFailure after a success',
      desired: { pod: aPod({ restartPolicy: 'OnFailure' }) },
      observed: ended({ exitCode: 0 }),
      action: { type: 'stopSandbox', sandboxId: 's1' },
    },
    {
      name: 'starts again under OnFailure after a failure',
      desired: { pod: aPod({ restartPolicy: 'OnFailure' }) },
      observed: ended({}),
      action: start({ attempt: 1 }),
    },
    {
      name: 'starts at once when its sandbox died, however often it was restarted',
      observed: observed({
        sandboxes: [sandbox({ id: 's2', attempt: 1 }), sandbox({ ready: false })],
        containers: [instance({ attempt: 7, backoffMs: 300_000, state: 'exited', exitCode: 137 })],
      }),
      action: start({ sandboxId: 's2', attempt: 8 }),
    },
  ]);
});

describe('a sandbox that died', () => {
  const dead = sandbox({ ready: false });
  check([
    {
      name: 'is stopped first',
      observed: observed({ sandboxes: [dead] }),
      action: { type: 'stopSandbox', sandboxId: 's1' },
    },
    {
      name: 'then replaced',
      observed: observed({ sandboxes: [dead], memory: memory({ stoppedSandboxes: new Set(['s1']) }) }),
      action: { type: 'createSandbox', attempt: 1 },
    },
    {
      name: 'is not replaced at once when it keeps dying',
      observed: observed({
        sandboxes: [sandbox({ ready: false, attempt: 3, createdAtMs: now - 1_000 })],
        memory: memory({ stoppedSandboxes: new Set(['s1']) }),
      }),
      action: wait('SandboxBackOff', now + 39_000),
    },
    {
      name: 'goes once nothing in it is of interest',
      observed: observed({
        sandboxes: [sandbox({ id: 's2', attempt: 1 }), dead],
        containers: [instance({ sandboxId: 's2', attempt: 1 })],
      }),
      action: { type: 'removeSandbox', sandboxId: 's1' },
    },
    {
      name: 'is not wanted twice',
      observed: observed({ sandboxes: [sandbox({ id: 's2', attempt: 1 }), sandbox()] }),
      action: { type: 'stopSandbox', sandboxId: 's1' },
    },
  ]);
});

describe('a running container', () => {
  const failed = { started: true, ready: false, failed: { probe: 'liveness' as const, message: 'no' } };
  check([
    {
      name: 'that fails its liveness probe is stopped',
      observed: observed({ ...running, memory: memory({ health: new Map([['main-0', failed]]) }) }),
      action: { type: 'stopContainers', ids: ['main-0'], graceSeconds: 30, reason: 'Unhealthy' },
    },
    {
      name: 'whose image was changed is stopped',
      desired: { pod: aPod({ containers: [container({ image: 'busybox:2' })] }) },
      observed: observed(running),
      action: { type: 'stopContainers', ids: ['main-0'], graceSeconds: 30, reason: 'Changed' },
    },
    {
      name: 'keeps one ended instance before it, not two',
      observed: observed({
        sandboxes: [sandbox()],
        containers: [
          instance({ attempt: 2 }),
          instance({ attempt: 1, state: 'exited' }),
          instance({ state: 'exited' }),
        ],
      }),
      action: { type: 'removeContainer', containerId: 'main-0' },
    },
    {
      name: 'is not stopped by a deadline to come',
      desired: { pod: aPod({ activeDeadlineSeconds: 60 }, {}, { startTime: new Date(now - 50_000).toISOString() }) },
      observed: observed(running),
      action: wait('running', now + 10_000),
    },
    {
      name: 'is stopped by a deadline that has passed',
      desired: { pod: aPod({ activeDeadlineSeconds: 40 }, {}, { startTime: new Date(now - 50_000).toISOString() }) },
      observed: observed(running),
      action: { type: 'stopContainers', ids: ['main-0'], graceSeconds: 30, reason: 'Killing' },
    },
  ]);
});

describe('a Pod that is to go', () => {
  const asked = (secondsAgo: number, grace: number) =>
    aPod({}, { deletionTimestamp: new Date(now - secondsAgo * 1000).toISOString(), deletionGracePeriodSeconds: grace });
  const stopped = memory({ stoppedSandboxes: new Set(['s1']) });
  const ended = instance({ state: 'exited' });
  check([
    {
      name: 'is asked to end',
      desired: { pod: asked(0, 20) },
      observed: observed(running),
      action: { type: 'stopContainers', ids: ['main-0'], graceSeconds: 20, reason: 'Killing' },
    },
    {
      name: 'has only the rest of its time after a restart of the agent',
      desired: { pod: asked(15, 20) },
      observed: observed(running),
      action: { type: 'stopContainers', ids: ['main-0'], graceSeconds: 5, reason: 'Killing' },
    },
    {
      name: 'has no time when none is given',
      desired: { pod: asked(0, 0) },
      observed: observed(running),
      action: { type: 'stopContainers', ids: ['main-0'], graceSeconds: 0, reason: 'Killing' },
    },
    {
      name: 'loses its sandbox when its containers have ended',
      desired: { pod: asked(1, 20) },
      observed: observed({ ...running, containers: [ended] }),
      action: { type: 'stopSandbox', sandboxId: 's1' },
    },
    {
      name: 'and all that is left of it',
      desired: { pod: asked(1, 20) },
      observed: observed({ sandboxes: [sandbox({ ready: false })], containers: [ended], memory: stopped }),
      action: { type: 'removeSandbox', sandboxId: 's1' },
    },
    { name: 'and is gone', desired: { pod: asked(1, 20) }, observed: observed(), action: { type: 'finalize' } },
    { name: 'never starts anything', desired: { gone: true }, observed: observed(), action: { type: 'finalize' } },
    {
      name: 'is hurried when nobody knows it any more',
      desired: { gone: true },
      observed: observed(running),
      action: { type: 'stopContainers', ids: ['main-0'], graceSeconds: 2, reason: 'Killing' },
    },
  ]);
});

function status(name: string, restartCount: number) {
  return {
    name,
    restartCount,
    state: undefined,
    lastState: undefined,
    ready: true,
    image: '',
    imageId: '',
    containerId: 'containerd://lost',
    started: true,
  };
}
