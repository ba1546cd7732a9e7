import { pod as podKind, podGroup as podGroupKind, podGroupLabel, queue as queueKind } from '@navarch/kinds';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let cluster: ClusterInProcess;
beforeAll(async () => {
  cluster = await ClusterInProcess.start({ nodes: 4 });
});
afterEach(async () => {
  await cluster.navctl('delete', 'pods', '--all');
  await cluster.navctl('delete', 'podgroups', '--all');
  await cluster.navctl('delete', 'queues', '--all');
  await cluster.time.until('all to be gone', async () => (await pods()).length === 0);
});
afterAll(() => cluster.stop());

const pods = async () => (await cluster.client.list(podKind)).items;
const bound = async (group: string) =>
  (await pods()).filter(({ metadata, spec }) => metadata.labels[podGroupLabel] === group && spec.nodeName !== '');
const group = (name: string, minMember: number, spec: object = {}) => ({
  apiVersion: 'scheduling.x-k8s.io/v1alpha1',
  kind: 'PodGroup',
  metadata: { name },
  spec: { minMember, ...spec },
});
const member = (name: string, group: string, cpu: string, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { [podGroupLabel]: group } },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'c', image: 'web:1', resources: { requests: { cpu } } }],
    ...spec,
  },
});
const members = (name: string, count: number, cpu: string, spec: object = {}) =>
  Array.from({ length: count }, (_, index) => member(`${name}-${index}`, name, cpu, spec));
const groupNamed = (name: string) => cluster.client.get(podGroupKind, { namespace: 'default', name });
const phaseOf = async (name: string) => (await groupNamed(name)).status.phase;
const conditionOf = async (name: string) =>
  (await groupNamed(name)).status.conditions.find(({ type }) => type === 'Scheduled');

test('a group waits for its members, then gets all its places in one transaction, and says how it is', async () => {
  const { time } = cluster;
  await cluster.apply(group('train', 4), ...members('train', 3, '1'));
  await time.until(
    'it to say what it waits for',
    async () => (await conditionOf('train'))?.reason === 'MembersMissing',
  );
  await time.pass(5_000);
  expect(await bound('train')).toHaveLength(0);
  expect(await groupNamed('train')).toMatchObject({ status: { phase: 'Pending', members: 3 } });
  expect((await conditionOf('train'))?.message).toBe('3 of 4 members are there');
  expect((await pods())[0]?.status.conditions.find(({ type }) => type === 'PodScheduled')?.message).toBe(
    'waits for its PodGroup train (MembersMissing): see navctl describe podgroup train',
  );
  await cluster.apply(member('train-3', 'train', '1'));
  await time.until('it to run', async () => (await phaseOf('train')) === 'Running');
  const all = await bound('train');
  expect(all).toHaveLength(4);
  expect((await cluster.navctl('get', 'pg')).out).toMatch(/NAME +PHASE .*\ntrain +Running +4 +4 +4 +4 +0 +0/);
  expect((await cluster.navctl('describe', 'podgroup', 'train')).out).toContain('Gave 4 members their places');
});

test('a group that does not fit whole has no place at all, says why, and gets all of them when there is room', async () => {
  const { time } = cluster;
  // Two nodes are free, and each has room for two.
  await cluster.apply(...members('alone', 2, '5').map((pod) => ({ ...pod, metadata: { name: pod.metadata.name } })));
  await time.until('the others to be there', async () => (await pods()).every(({ spec }) => spec.nodeName !== ''));
  await cluster.apply(group('big', 7), ...members('big', 7, '3500m'));
  await time.until('it to be refused', async () => (await conditionOf('big'))?.reason === 'Unschedulable');
  expect((await conditionOf('big'))?.message).toBe(
    '7 places are needed and 4 fit: 0/4 nodes are available: 4 Insufficient cpu.',
  );
  expect(await bound('big')).toHaveLength(0);
  // What single Pods need is not kept from them.
  await cluster.apply(...members('small', 1, '3').map((pod) => ({ ...pod, metadata: { name: pod.metadata.name } })));
  await cluster.navctl('delete', 'pod', 'alone-0', 'alone-1', 'small-0');
  await time.until('it to run', async () => (await phaseOf('big')) === 'Running');
  expect(await bound('big')).toHaveLength(7);
});

test('members beyond minMember come one by one; one that dies is replaced at once', async () => {
  const { time } = cluster;
  await cluster.apply(group('elastic', 2), ...members('elastic', 6, '3500m'));
  await time.until('it to run', async () => (await bound('elastic')).length === 6);
  await cluster.apply(
    ...members('late', 3, '3500m').map((pod) => ({
      ...pod,
      metadata: { ...pod.metadata, labels: { [podGroupLabel]: 'elastic' } },
    })),
  );
  await time.until('as many as fit to run', async () => (await bound('elastic')).length === 8);
  await time.until('it to say so', async () => (await groupNamed('elastic')).status.running === 8);
  await cluster.navctl('delete', 'pod', 'elastic-0');
  await time.until('another to have its place', async () => {
    return (await bound('elastic')).some(({ metadata }) => metadata.name === 'late-2');
  });
  expect(await bound('elastic')).toHaveLength(8);
});

test('groups of a queue go in order, as far as its quota goes, and small ones pass until the first has waited long', async () => {
  const { time } = cluster;
  const inQueue = (name: string, count: number) => [group(name, count, { queue: 'q' }), ...members(name, count, '1')];
  await cluster.apply(
    { apiVersion: 'scheduling.navarch.io/v1', kind: 'Queue', metadata: { name: 'q' }, spec: { quota: { cpu: '6' } } },
    ...inQueue('first', 4),
  );
  await time.until('the first to run', async () => (await phaseOf('first')) === 'Running');
  await cluster.apply(...inQueue('giant', 5));
  await time.until('the giant to wait', async () => (await conditionOf('giant'))?.reason === 'QueueFull');
  await cluster.apply(...inQueue('small', 2));
  await time.until('the small one to pass', async () => (await phaseOf('small')) === 'Running');
  await time.until('the queue to say so', async () => {
    const { status } = await cluster.client.get(queueKind, { name: 'q' });
    return status.used['cpu'] === '6' && status.admitted === 2 && status.waiting === 1;
  });
  await time.pass(310_000);
  await cluster.navctl('delete', 'pods', '-l', `${podGroupLabel}=small`);
  await cluster.apply(...inQueue('tiny', 1));
  await time.until('the next small one to be held up', async () => (await conditionOf('tiny'))?.reason === 'Behind');
  expect((await conditionOf('tiny'))?.message).toContain('behind default/giant');
  await cluster.navctl('delete', 'pods', '-l', `${podGroupLabel}=first`);
  await time.until('the giant to run', async () => (await phaseOf('giant')) === 'Running');
  await time.until('the small one to run beside it', async () => (await phaseOf('tiny')) === 'Running');
});

test('a group that waits longer than it may is given up', async () => {
  const { time } = cluster;
  await cluster.apply(group('late', 2, { scheduleTimeoutSeconds: 20 }), ...members('late', 2, '100'));
  await time.until('it to be refused', async () => (await conditionOf('late'))?.reason === 'Unschedulable');
  await time.until('it to be given up', async () => (await phaseOf('late')) === 'Failed');
  expect(await conditionOf('late')).toMatchObject({ status: 'False', reason: 'ScheduleTimeout' });
});

test('a group that must be together is, and one that is larger than a transaction is placed whole as well', async () => {
  const { time } = cluster;
  await cluster.navctl('label', 'node', 'n1', 'n2', 'rack=a');
  await cluster.navctl('label', 'node', 'n3', 'n4', 'rack=b');
  const topology = { key: 'rack', policy: 'Required' };
  await cluster.apply(group('wide', 150, { topology }), ...members('wide', 150, '50m'));
  await time.until('it to run', async () => (await phaseOf('wide')) === 'Running');
  const nodes = new Set((await bound('wide')).map(({ spec }) => spec.nodeName));
  expect([
    ['n1', 'n2'],
    ['n3', 'n4'],
  ]).toContainEqual([...nodes].sort());
  expect((await groupNamed('wide')).status.reservation).toBeUndefined();
});

describe('making room', () => {
  const important = {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'important' },
    value: 1000,
  };

  test('a more important group pushes out whole groups, and only when it fits then', async () => {
    const { time } = cluster;
    await cluster.apply(
      important,
      group('lesser', 4),
      ...members('lesser', 4, '3500m'),
      group('other', 2),
      ...members('other', 2, '3500m'),
    );
    await time.until('both to run', async () => (await bound('lesser')).length + (await bound('other')).length === 6);
    const priorityClassName = 'important';
    await cluster.apply(group('huge', 9), ...members('huge', 9, '3500m', { priorityClassName }));
    await time.until('it to be refused', async () => (await conditionOf('huge'))?.reason === 'Unschedulable');
    await time.pass(15_000);
    expect([await phaseOf('lesser'), await phaseOf('other')]).toEqual(['Running', 'Running']);
    await cluster.apply(group('vip', 4), ...members('vip', 4, '3500m', { priorityClassName }));
    await time.until('it to run', async () => (await phaseOf('vip')) === 'Running');
    const left = [(await bound('lesser')).length, (await bound('other')).length];
    expect([
      [4, 0],
      [0, 2],
    ]).toContainEqual(left);
    expect((await groupNamed('vip')).status.reservation).toBeUndefined();
  });

  test('a single Pod that needs the room of one member makes the whole group leave', async () => {
    const { time } = cluster;
    await cluster.apply(important, group('lesser', 8), ...members('lesser', 8, '3500m'));
    await time.until('it to run', async () => (await phaseOf('lesser')) === 'Running');
    const single = member('vip', '', '3500m', { priorityClassName: 'important' });
    await cluster.apply({ ...single, metadata: { name: 'vip' } });
    await time.until('the Pod to be placed', async () => {
      return (await pods()).some(({ metadata, spec }) => metadata.name === 'vip' && spec.nodeName !== '');
    });
    await time.until('the group to be gone', async () => (await bound('lesser')).length === 0);
    expect(await pods()).toHaveLength(1);
  });
});

test('the distributed job of the guide', async () => {
  const { time } = cluster;
  expect(await cluster.navctl('apply', '-f', 'examples/gangs/training.yaml')).toMatchObject({ code: 0, err: '' });
  await time.until('its members to have their places', async () => (await bound('train')).length === 8);
  const one = (await bound('train'))[0];
  expect(one && one.metadata.ownerReferences[0]?.kind).toBe('Job');
  await cluster.navctl('delete', '-f', 'examples/gangs/training.yaml');
});
