import { cronJob as cronJobKind, event as eventKind, job as jobKind, pod as podKind } from '@navarch/kinds';
import type { Live } from '@navarch/machinery';
import type { Job } from '@navarch/proto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';
import { writesWithin } from './workloads.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let cluster: ClusterInProcess;
beforeAll(async () => {
  cluster = await ClusterInProcess.start({ nodes: 2 });
});
afterAll(() => cluster.stop());

const template = (image: string, restartPolicy = 'Never') => ({
  spec: { restartPolicy, terminationGracePeriodSeconds: 1, containers: [{ name: 'c', image }] },
});
const apply = (name: string, image: string, spec: object = {}) =>
  cluster.apply({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: { template: template(image), ...spec },
  });
const get = (name: string): Promise<Live<Job>> => cluster.client.get(jobKind, { namespace: 'default', name });
const podsOf = async (name: string) =>
  (await cluster.client.list(podKind, { namespace: 'default', labelSelector: `job-name=${name}` })).items;
const until = (name: string, type: string) =>
  cluster.time.until(`${name} to be ${type}`, async () => {
    const found = await get(name);
    return found.status.conditions.some((each) => each.type === type && each.status === 'True') ? found : undefined;
  });
const untilRunning = (name: string, count: number) =>
  cluster.time.until(`${count} Pods of ${name} to run`, async () => {
    const pods = await podsOf(name);
    return (
      pods.filter(({ status, metadata }) => status.phase === 'Running' && metadata.deletionTimestamp === '').length ===
      count
    );
  });

test('a Job of many Pods is done when each index has succeeded, and then nothing is written', async () => {
  await apply('many', 'work:exits-0', { completionMode: 'Indexed', completions: 20, parallelism: 5 });
  const { status } = await until('many', 'Complete');
  expect(status).toMatchObject({
    succeeded: 20,
    failed: 0,
    completedIndexes: '0-19',
    active: 0,
    ready: 0,
    terminating: 0,
  });
  const pods = await podsOf('many');
  expect(pods).toHaveLength(20);
  expect(pods.flatMap(({ metadata }) => metadata.finalizers)).toEqual([]);
  const { out } = await cluster.navctl('get', 'job', 'many');
  expect(out).toMatch(/^NAME +STATUS +COMPLETIONS +DURATION +AGE\nmany +Complete +20\/20 /);
  // Applied again, it is what it is.
  await apply('many', 'work:exits-0', { completionMode: 'Indexed', completions: 20, parallelism: 5 });
  expect(await writesWithin(cluster, 60_000)).toEqual([]);
});

test('an index that fails is tried again after ten seconds, and fails alone', async () => {
  await apply('odd', 'work:fails-on-1', {
    completionMode: 'Indexed',
    completions: 3,
    parallelism: 3,
    backoffLimitPerIndex: 1,
  });
  const { status } = await until('odd', 'Failed');
  expect(status).toMatchObject({ succeeded: 2, failed: 2, completedIndexes: '0,2', failedIndexes: '1' });
  const tries = (await podsOf('odd')).filter(
    ({ metadata }) => metadata.labels['batch.kubernetes.io/job-completion-index'] === '1',
  );
  const [first = 0, second = 0] = tries
    .map(({ metadata }) => Date.parse(metadata.creationTimestamp))
    .toSorted((a, b) => a - b);
  expect(second - first).toBeGreaterThanOrEqual(9_000);
  expect(second - first).toBeLessThan(15_000);
});

test('a Pod that somebody deletes counts once, as failed, and another takes its place', async () => {
  await apply('long', 'work:1', { completions: 1 });
  await untilRunning('long', 1);
  const [pod] = await podsOf('long');
  await cluster.navctl('delete', 'pod', pod?.metadata.name ?? '', '--wait=false');
  await cluster.time.until('another Pod', async () =>
    (await podsOf('long')).some(({ metadata }) => metadata.uid !== pod?.metadata.uid),
  );
  await untilRunning('long', 1);
  expect((await get('long')).status).toMatchObject({ failed: 1, succeeded: 0, backoff: { failures: 1 } });
});

test('a suspended Job has no Pods, which count for nothing, and goes on where it was', async () => {
  await cluster.navctl('patch', 'job', 'long', '-p', '{"spec":{"suspend":true}}');
  await until('long', 'Suspended');
  await cluster.time.until('no Pods', async () => (await podsOf('long')).length === 0);
  expect((await get('long')).status.failed).toBe(1);
  await cluster.navctl('patch', 'job', 'long', '-p', '{"spec":{"suspend":false}}');
  await untilRunning('long', 1);
  expect((await get('long')).status).toMatchObject({ failed: 1, active: 1 });
});

test('a Job that is deleted takes its Pods along, though they wait to be counted', async () => {
  const { code } = await cluster.navctl('delete', 'job', 'long', '--wait=false');
  expect(code).toBe(0);
  await cluster.time.until('no Pods', async () => (await podsOf('long')).length === 0);
});

test('the policy of failures sees what containers returned', async () => {
  const rule = { action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } };
  await apply('hopeless', 'work:exits-42', { backoffLimit: 6, podFailurePolicy: { rules: [rule] } });
  const { status } = await until('hopeless', 'Failed');
  expect(status.conditions.find(({ type }) => type === 'Failed')?.reason).toBe('PodFailurePolicy');
  expect(status.failed).toBe(1);
});

test('and why a Pod was ended: an eviction need not count', async () => {
  const rule = { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] };
  await apply('evicted', 'work:ends-143', { backoffLimit: 0, podFailurePolicy: { rules: [rule] } });
  await untilRunning('evicted', 1);
  const [pod] = await podsOf('evicted');
  await cluster.time.passes(cluster.client.evict({ namespace: 'default', name: pod?.metadata.name ?? '' }));
  await cluster.time.until('another Pod', async () =>
    (await podsOf('evicted')).some(({ metadata }) => metadata.uid !== pod?.metadata.uid),
  );
  await untilRunning('evicted', 1);
  expect((await get('evicted')).status).toMatchObject({ failed: 0, active: 1 });
  await cluster.navctl('delete', 'job', 'evicted', '--wait=false');
});

test('a deadline ends the Job and its Pods', async () => {
  await apply('late', 'work:1', { parallelism: 2, completions: 2, activeDeadlineSeconds: 30 });
  const { status } = await until('late', 'Failed');
  expect(status.conditions.find(({ type }) => type === 'Failed')?.reason).toBe('DeadlineExceeded');
  expect(status).toMatchObject({ failed: 2, active: 0, terminating: 0 });
  await cluster.time.until('no Pods', async () => (await podsOf('late')).length === 0);
});

test('a Job that says so goes some time after its end, with its Pods', async () => {
  await apply('brief', 'work:exits-0', { ttlSecondsAfterFinished: 60 });
  await until('brief', 'Complete');
  const endedMs = cluster.time.clock.monotonicMs();
  await cluster.time.until('the Job to be gone', async () => (await cluster.navctl('get', 'job', 'brief')).code === 1);
  expect(cluster.time.clock.monotonicMs() - endedMs).toBeGreaterThan(55_000);
  await cluster.time.until('its Pods to be gone', async () => (await podsOf('brief')).length === 0);
});

test('the controllers may be killed in the midst of it', async () => {
  await apply('survivor', 'work:exits-0', { completions: 12, parallelism: 2 });
  await cluster.time.until('some to be done', async () => (await get('survivor')).status.succeeded >= 4);
  cluster.killLeader('controller-manager');
  await cluster.startLeader('controller-manager');
  const { status } = await until('survivor', 'Complete');
  expect(status).toMatchObject({ succeeded: 12, failed: 0 });
  expect(await podsOf('survivor')).toHaveLength(12);
});

test('a CronJob makes a Job at each of its times, keeps a few, and says what it did', async () => {
  const spec = {
    schedule: '*/5 * * * *',
    successfulJobsHistoryLimit: 2,
    jobTemplate: { spec: { template: template('work:exits-0') } },
  };
  await cluster.apply({ apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'tick' }, spec });
  const startMs = cluster.time.clock.now();
  await cluster.time.pass(21 * 60_000);
  const made = (
    await cluster.client.list(eventKind, { namespace: 'default', fieldSelector: 'involvedObject.name=tick' })
  ).items;
  const created = made.filter(({ reason }) => reason === 'SuccessfulCreate').reduce((sum, { count }) => sum + count, 0);
  expect(created).toBe(4);
  const jobs = (await cluster.client.list(jobKind, { namespace: 'default' })).items.filter(({ metadata }) =>
    metadata.name.startsWith('tick-'),
  );
  const minute = (ms: number) => Math.floor(ms / 300_000) * 5;
  const last = minute(startMs + 21 * 60_000);
  expect(jobs.map(({ metadata }) => metadata.name).toSorted()).toEqual([`tick-${last - 5}`, `tick-${last}`]);
  const { status } = await cluster.client.get(cronJobKind, { namespace: 'default', name: 'tick' });
  expect(Date.parse(status.lastScheduleTime)).toBe(last * 60_000);
  expect(status.active).toEqual([]);
  const { out } = await cluster.navctl('get', 'cronjob', 'tick');
  expect(out).toMatch(
    /^NAME +SCHEDULE +TIMEZONE +SUSPEND +ACTIVE +LAST SCHEDULE +AGE\ntick +\*\/5 \* \* \* \* +<none> +False +0 /,
  );
});

test('what it makes can be made by hand, and is described', async () => {
  const { err, code } = await cluster.navctl('create', 'job', 'now', '--from=cronjob/tick');
  expect({ err, code }).toEqual({ err: '', code: 0 });
  expect((await cluster.navctl('wait', '--for=condition=complete', 'job/now', '--timeout=60s')).code).toBe(0);
  const job = await cluster.navctl('describe', 'job', 'now');
  expect(job.out).toMatch(/Controlled By: +CronJob\/tick/);
  expect(job.out).toMatch(/Pods Statuses: +0 Active \(0 Ready\) \/ 1 Succeeded \/ 0 Failed/);
  const described = await cluster.navctl('describe', 'cronjob', 'tick');
  expect(described.out).toMatch(/Schedule: +\*\/5/);
  expect(described.out).toMatch(/Next Schedule Time: .*\(in /);
});
