import { waitFor } from '@navarch/testing';
import { describe, expect, test } from 'vitest';
import type { Cluster } from '../cluster.ts';
import type { List, PodJson } from '../shapes.ts';

/** A release takes its settings along, and is taken back when its containers crash. */
export function releases(cluster: () => Cluster): void {
  describe('a release', () => {
    const colours = async () => {
      const { items } = await cluster().json<List<PodJson>>('get', 'pods', '-l', 'app=ship');
      const names = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
      const texts = await Promise.all(
        names.map(({ metadata }) => cluster().tryNavctl(['exec', metadata.name, '--', 'sh', '-c', 'echo $COLOUR'])),
      );
      return texts.map(({ stdout }) => stdout.trim()).join();
    };
    const untilAll = (colour: string) =>
      waitFor(async () => (await colours()) === `${colour},${colour}`, {
        timeoutMs: 120_000,
        intervalMs: 500,
        what: `Pods that are ${colour}`,
      });
    const paint = (colour: string) =>
      cluster().navctl('patch', 'configmap', 'ship', '--type=merge', '-p', `{"data":{"COLOUR":"${colour}"}}`);

    test('is a change of settings, and an undo brings the old ones back', async () => {
      await cluster().navctl('apply', '-f', 'test/manifests/releases.yaml');
      await cluster().navctl('rollout', 'status', 'deploy/ship', '--timeout=60s');
      expect(await colours()).toBe('blue,blue');
      await paint('green');
      await untilAll('green');
      await cluster().navctl('rollout', 'undo', 'deploy/ship');
      await untilAll('blue');
    }, 240_000);

    test('that crashes is taken back by itself', async () => {
      const good = async () => {
        const object = await cluster().json<{ status: { release?: { lastGood?: string } } }>('get', 'deploy', 'ship');
        const { items } = await cluster().json<List<PodJson>>('get', 'pods', '-l', 'app=ship');
        const lastGood = object.status.release?.lastGood ?? 'none';
        return items.every(({ metadata }) => metadata.name.startsWith(lastGood));
      };
      await waitFor(good, { timeoutMs: 90_000, intervalMs: 1000, what: 'the blue ones to count as good' });
      await paint('red');
      const isTaken = async () => (await cluster().navctl('describe', 'deploy/ship')).includes('was taken back');
      await waitFor(isTaken, { timeoutMs: 90_000, intervalMs: 1000, what: 'the rollback' });
      const { code, stderr } = await cluster().tryNavctl(['rollout', 'status', 'deploy/ship']);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringMatching(/was rolled back: .*container "ship".* the last time with exit code 3/),
      });
      await untilAll('blue');
      await cluster().navctl('delete', '-f', 'test/manifests/releases.yaml');
    }, 240_000);
  });
}
