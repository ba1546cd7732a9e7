import { waitFor } from '@navarch/testing';
import { describe, expect, test } from 'vitest';
import { type Cluster, execute, type Part } from '../cluster.ts';
import { httpStatus } from '../http.ts';
import { containerIds, type DeploymentJson, isReady, type List, type PodJson, type ServiceJson } from '../shapes.ts';

/** What is killed comes back, and what runs beside it is not disturbed. */
export function healing(cluster: () => Cluster, parts: readonly Part[]): void {
  const pods = async () => (await cluster().json<List<PodJson>>('get', 'pods', '-l', 'app=nginx')).items;
  const ctr = async (...args: string[]) => {
    const socket = `${cluster().env['NAVARCH_RUN']}/containerd.sock`;
    const finished = await execute('ctr', ['-a', socket, '-n', 'k8s.io', ...args]);
    if (finished.code !== 0) throw new Error(`ctr ${args.join(' ')}: ${finished.stderr}`);
    return finished.stdout;
  };
  const firstPod = async () => {
    const pod = (await pods()).find(isReady);
    if (pod === undefined) throw new Error('no Pod is ready');
    return pod;
  };
  const serves = async () => {
    const { spec } = await cluster().json<ServiceJson>('get', 'service', 'nginx-service');
    return (await httpStatus(`http://${spec.clusterIP}/`)) === 200;
  };

  describe('healing', () => {
    test('a killed container is started again', async () => {
      const victim = await firstPod();
      const [before] = containerIds([victim]);
      await ctr('tasks', 'kill', '-s', 'SIGKILL', (before ?? '').replace('containerd://', ''));
      await waitFor(
        async () => {
          const now = await cluster().json<PodJson>('get', 'pod', victim.metadata.name);
          return isReady(now) && containerIds([now])[0] !== before && now.metadata.uid === victim.metadata.uid;
        },
        { timeoutMs: 60_000, intervalMs: 200, what: 'the container to run again in the same Pod' },
      );
    });

    test('a killed sandbox is replaced', async () => {
      const victim = await firstPod();
      const filter = `labels."io.cri-containerd.kind"==sandbox,labels."io.kubernetes.pod.uid"==${victim.metadata.uid}`;
      const sandboxes = async () => (await ctr('containers', 'ls', '-q', filter)).trim().split('\n');
      const before = await sandboxes();
      await ctr('tasks', 'kill', '-s', 'SIGKILL', before[0] ?? '');
      await waitFor(
        async () => {
          const now = await cluster().json<PodJson>('get', 'pod', victim.metadata.name);
          const replaced = containerIds([now])[0] !== containerIds([victim])[0];
          return isReady(now) && replaced && (await sandboxes()).some((id) => !before.includes(id));
        },
        { timeoutMs: 60_000, intervalMs: 200, what: 'the Pod to run in a new sandbox' },
      );
      await waitFor(serves, { timeoutMs: 20_000, what: 'the service to answer' });
    });

    test.each(parts)('%s comes back from kill -9, works, and no container was disturbed', async (part) => {
      await waitFor(async () => (await pods()).every(isReady), { timeoutMs: 60_000, what: 'all Pods to be ready' });
      const before = await pods();
      const killed = cluster().kill(part);
      await waitFor(() => cluster().pid(part) !== undefined && cluster().pid(part) !== killed, {
        timeoutMs: 30_000,
        what: `a new ${part}`,
      });
      expect(await serves(), 'the service answers meanwhile').toBe(true);
      // The whole chain works again when a change of the Deployment ends in one more ready Pod, and one less.
      for (const replicas of [4, 3]) {
        await waitFor(
          async () => {
            const scaled = await cluster().tryNavctl(['scale', 'deploy/nginx-deployment', `--replicas=${replicas}`]);
            return scaled.code === 0;
          },
          { timeoutMs: 30_000, intervalMs: 200, what: 'the api to take a change' },
        );
        await waitFor(
          async () => {
            const { status } = await cluster().json<DeploymentJson>('get', 'deploy', 'nginx-deployment');
            return status?.readyReplicas === replicas && status.replicas === replicas;
          },
          { timeoutMs: 60_000, intervalMs: 200, what: `${replicas} ready Pods` },
        );
      }
      const ids = containerIds(await pods());
      expect(containerIds(before).filter((id) => !ids.includes(id)).length, 'containers that were there and went').toBe(
        0,
      );
    });
  });
}
