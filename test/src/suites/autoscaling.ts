import { waitFor } from '@navarch/testing';
import { describe, expect, test } from 'vitest';
import type { Cluster, Part } from '../cluster.ts';
import { type AutoscalerJson, isReady, type List, type PodJson } from '../shapes.ts';

/** What containers really use decides how many of them there are. It is told over NATS, and without that nothing is done. */
export function autoscaling(cluster: () => Cluster, parts: readonly Part[]): void {
  const hears = parts.includes('nats');
  const pods = async () => (await cluster().json<List<PodJson>>('get', 'pods', '-l', 'app=busy')).items;
  const autoscaler = () => cluster().json<AutoscalerJson>('get', 'hpa', 'busy');

  async function until(what: string, check: () => Promise<boolean>): Promise<void> {
    try {
      await waitFor(check, { timeoutMs: 120_000, intervalMs: 500, what });
    } catch (cause) {
      throw new Error(`${what} in vain: ${await cluster().navctl('describe', 'hpa', 'busy')}`, { cause });
    }
  }
  const untilPods = (count: number) =>
    until(`${count} Pods`, async () => {
      const found = await pods();
      return found.length === count && found.every(isReady);
    });

  describe('a Deployment with an autoscaler', () => {
    // Usage travels on the bus alone.
    test.each(hears ? [{ most: 3 }] : [])(
      'has $most Pods while they work hard, and one when they are idle',
      async ({ most }) => {
        await cluster().navctl('apply', '-f', 'test/manifests/busy.yaml');
        await untilPods(most);
        await until('usage', async () => (await cluster().navctl('top', 'pods', '-l', 'app=busy')).includes('m'));
        expect((await cluster().navctl('top', 'nodes', '--no-headers')).trim().split('\n')).toHaveLength(1);
        expect(await cluster().navctl('get', 'hpa')).toMatch(/busy +Deployment\/busy +cpu: \d+%\/100% +1 +3 /);
        for (const { metadata } of await pods()) {
          await cluster().navctl('exec', metadata.name, '--', 'touch', '/tmp/idle');
        }
        await untilPods(1);
        expect(await cluster().navctl('events', '--for=hpa/busy')).toContain('New size: 1');
      },
    );

    test.each(hears ? [] : [{ own: 1 }])('keeps its number without it, $own, and says why', async ({ own }) => {
      await cluster().navctl('apply', '-f', 'test/manifests/busy.yaml');
      await untilPods(own);
      await until('it to say so', async () => {
        const active = (await autoscaler()).status?.conditions?.find(({ type }) => type === 'ScalingActive');
        return active?.status === 'False' && active.message.includes('NATS');
      });
      expect(await cluster().tryNavctl(['top', 'pods'])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('NATS') as string,
      });
      expect(await pods()).toHaveLength(own);
    });

    test('goes with its autoscaler', async () => {
      await cluster().navctl('delete', '-f', 'test/manifests/busy.yaml');
      await until('no Pods', async () => (await pods()).length === 0);
      expect(await cluster().navctl('get', 'hpa', '-o', 'name')).toBe('');
    });
  });
}
