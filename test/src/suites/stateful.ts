import { waitFor } from '@navarch/testing';
import { describe, expect, test } from 'vitest';
import type { Cluster } from '../cluster.ts';
import { podReady, podUntil } from '../pods.ts';
import { isReady, type List, type PodJson } from '../shapes.ts';

/** Pods that are told apart: made in order, found by name, kept by their data, rolled, healed and scaled down. */
export function stateful(cluster: () => Cluster): void {
  describe('a StatefulSet', () => {
    const navctl = (...args: string[]) => cluster().navctl(...args);
    const inPod = (pod: string, script: string) => navctl('exec', pod, '--', 'sh', '-c', script);
    const pods = async () => (await cluster().json<List<PodJson>>('get', 'pods', '-l', 'app=ledger')).items;
    const names = async () => (await pods()).filter(isReady).map(({ metadata }) => metadata.name);
    const fullName = (pod: string) => `${pod}.ledger.default.svc.cluster.local`;
    const address = async (pod: string) => (await cluster().json<PodJson>('get', 'pod', pod)).status?.podIP ?? 'none';
    /** Answers live for some seconds. */
    const resolves = async (pod: string) => {
      const ip = await address(pod);
      await waitFor(
        async () => {
          const { code, stdout } = await cluster().tryNavctl(['exec', 'client', '--', 'nslookup', fullName(pod)]);
          return code === 0 && stdout.includes(ip);
        },
        { timeoutMs: 30_000, intervalMs: 300, what: `${fullName(pod)} to be ${ip}` },
      );
      return ip;
    };

    test('comes up in order, each Pod ready before the next is made', async () => {
      await navctl('apply', '-f', 'test/manifests/stateful.yaml', '-f', 'test/manifests/client.yaml');
      await navctl('rollout', 'status', 'sts/ledger', '--timeout=100s');
      await podReady(cluster(), 'client');
      expect(await names()).toEqual(['ledger-0', 'ledger-1', 'ledger-2']);
      const events = await navctl('get', 'events', '--field-selector', 'involvedObject.name=ledger', '-o', 'json');
      expect(events).toContain('create Pod ledger-2 in StatefulSet ledger successful');
      const claims = await navctl('get', 'pvc', '--no-headers');
      expect(claims.match(/data-ledger-[012] +Bound/g)).toHaveLength(3);
    });

    test('gives each Pod a DNS name, which others resolve and it knows itself', async () => {
      const ips = [await resolves('ledger-0'), await resolves('ledger-1'), await resolves('ledger-2')];
      const all = await navctl('exec', 'client', '--', 'nslookup', 'ledger.default.svc.cluster.local');
      for (const ip of ips) expect(all).toContain(ip);
      expect(await inPod('ledger-1', 'hostname; hostname -f; cat /data/first')).toBe(
        `ledger-1\n${fullName('ledger-1')}\nledger-1\n`,
      );
    });

    test('is rolled from the last Pod to the first; each comes back by its name, to its data', async () => {
      const before = await pods();
      await navctl('set', 'env', 'sts/ledger', 'VERSION=2');
      await navctl('rollout', 'status', 'sts/ledger', '--timeout=100s');
      const after = await pods();
      expect(after.map(({ metadata }) => metadata.name)).toEqual(['ledger-0', 'ledger-1', 'ledger-2']);
      const uids = new Set(before.map(({ metadata }) => metadata.uid));
      expect(after.filter(({ metadata }) => uids.has(metadata.uid))).toEqual([]);
      expect(await inPod('ledger-2', 'echo $VERSION; cat /data/first')).toBe('2\nledger-2\n');
      await resolves('ledger-2');
    });

    test('that hangs on an image that is not there is healed by undo', async () => {
      await navctl('set', 'image', 'sts/ledger', 'shell=busybox:none');
      await podUntil(cluster(), 'ledger-2', 'waiting for its image', ({ status }) => {
        const reason = status?.containerStatuses?.[0]?.state?.waiting?.reason ?? '';
        return reason === 'ErrImagePull' || reason === 'ImagePullBackOff';
      });
      expect(await names()).toEqual(['ledger-0', 'ledger-1']);
      await navctl('rollout', 'undo', 'sts/ledger');
      await navctl('rollout', 'status', 'sts/ledger', '--timeout=100s');
      expect(await names()).toEqual(['ledger-0', 'ledger-1', 'ledger-2']);
      expect(await inPod('ledger-2', 'echo $VERSION')).toBe('2\n');
    });

    test('is scaled down from the last Pod, whose name is then nobody’s', async () => {
      await navctl('scale', 'sts/ledger', '--replicas=1');
      await waitFor(async () => (await names()).join() === 'ledger-0' && (await pods()).length === 1, {
        timeoutMs: 60_000,
        intervalMs: 200,
        what: 'ledger-0 only',
      });
      await waitFor(
        async () => (await cluster().tryNavctl(['exec', 'client', '--', 'nslookup', fullName('ledger-2')])).code !== 0,
        { timeoutMs: 30_000, intervalMs: 300, what: 'the name of ledger-2 to be gone' },
      );
      await resolves('ledger-0');
      await navctl('delete', 'sts/ledger', 'svc/ledger', 'pod/client', '--grace-period=1');
      await navctl('delete', 'pvc', '-l', 'app=ledger');
      expect((await navctl('get', 'pvc', '--no-headers')).trim()).toBe('');
    });
  });
}
