import { waitFor } from '@navarch/testing';
import { describe, expect, test } from 'vitest';
import type { Cluster } from '../cluster.ts';
import type { List, PodJson } from '../shapes.ts';

interface JobJson {
  readonly status?: Readonly<Record<string, unknown>>;
}

/** Pods that come to an end: counted by index, made from a CronJob, cleared away by time. */
export function jobs(cluster: () => Cluster): void {
  const navctl = (...args: string[]) => cluster().navctl(...args);
  const podsOf = async (job: string) =>
    (await cluster().json<List<PodJson>>('get', 'pods', '-l', `job-name=${job}`)).items;

  describe('an Indexed Job', () => {
    test('of which one index fails for good does the others, and says which', async () => {
      await navctl('apply', '-f', 'test/manifests/jobs.yaml');
      await navctl('wait', '--for=condition=failed', 'job/pieces', '--timeout=90s');
      const { status } = await cluster().json<JobJson>('get', 'job', 'pieces');
      expect(status).toMatchObject({ succeeded: 3, failed: 1, completedIndexes: '0,1,3', failedIndexes: '2' });
      expect(await navctl('describe', 'job', 'pieces')).toContain('FailedIndexes');
      const pods = await podsOf('pieces');
      expect(pods).toHaveLength(4);
    });

    test('whose Pods know their index and are named by it', async () => {
      const [pod] = (await podsOf('pieces')).filter(({ metadata }) => metadata.name.startsWith('pieces-3-'));
      expect(await navctl('logs', pod?.metadata.name ?? '')).toBe('piece 3 on pieces-3\n');
      expect(await navctl('logs', 'job/pieces')).toMatch(/^piece \d on pieces-\d\n/);
    });

    test('that is deleted is gone with its Pods', async () => {
      await navctl('delete', 'job', 'pieces');
      await waitFor(async () => (await podsOf('pieces')).length === 0, {
        timeoutMs: 30_000,
        intervalMs: 200,
        what: 'no Pods',
      });
      expect((await cluster().tryNavctl(['get', 'job', 'pieces'])).code).toBe(1);
    });
  });

  describe('a CronJob', () => {
    test('waits for its time; what it would make is made by hand, and its container is started again until it succeeds', async () => {
      expect(await navctl('get', 'cronjob', 'yearly')).toMatch(/yearly +@yearly +Europe\/Berlin +False +0 +<none>/);
      await navctl('create', 'job', 'now', '--from=cronjob/yearly');
      await navctl('wait', '--for=condition=complete', 'job/now', '--timeout=90s');
      const [pod] = await podsOf('now');
      expect(await navctl('logs', pod?.metadata.name ?? '')).toBe('a new year\n');
    });

    test('makes Jobs that go some seconds after their end', async () => {
      const gone = async () => (await cluster().tryNavctl(['get', 'job', 'now'])).code === 1;
      await waitFor(gone, { timeoutMs: 60_000, intervalMs: 300, what: 'the Job to be gone' });
      await navctl('delete', 'cronjob', 'yearly');
      expect(await gone()).toBe(true);
    });
  });
}
