import { waitFor } from '@navarch/testing';
import { describe, expect, test } from 'vitest';
import type { Kubectl } from '../../kubectl.ts';
import type { DeploymentJson, List, NodeJson, PodJson } from '../../shapes.ts';

const labels = { app: 'kubectl-web' };
const web = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'kubectl-web' },
  spec: {
    replicas: 1,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [{ name: 'nginx', image: 'nginx:1.22', ports: [{ containerPort: 80 }] }],
      },
    },
  },
};

/** Workloads as kubectl's users run them. */
export function kubectlWorkloads(kubectl: () => Kubectl): void {
  const pods = async () => (await kubectl().json<List<PodJson>>('get', 'pods', '-l', 'app=kubectl-web')).items;
  const status = () => kubectl().run('rollout', 'status', 'deployment/kubectl-web', '--timeout=60s');
  const image = async () => (await kubectl().run('get', 'deploy', 'kubectl-web', '-o', 'jsonpath={..image}')).trim();

  describe('kubectl and workloads', () => {
    test('apply, rollout status, scale and wait', async () => {
      await kubectl().apply(web);
      expect(await status()).toContain('successfully rolled out');
      expect(await kubectl().run('scale', 'deployment/kubectl-web', '--replicas=2')).toContain('scaled');
      await kubectl().run('wait', '--for=jsonpath={.status.readyReplicas}=2', 'deploy/kubectl-web', '--timeout=60s');
      await kubectl().run('wait', '--for=condition=Available', 'deploy/kubectl-web', '--timeout=60s');
      expect(await kubectl().run('get', 'deployment', 'kubectl-web')).toMatch(/^kubectl-web\s+2\/2\s+2\s+2\s+/m);
      expect(await kubectl().run('get', 'pods', '-l', 'app=kubectl-web', '--no-headers')).toMatch(
        /^kubectl-web-\S+\s+1\/1\s+Running\s+0\s+/m,
      );
    });

    test('set image, rollout history, undo, pause, resume and restart', async () => {
      await kubectl().run('set', 'image', 'deployment/kubectl-web', 'nginx=nginx:1.23');
      await status();
      expect(await kubectl().run('rollout', 'history', 'deployment/kubectl-web')).toMatch(/^1\s.*\n2\s/m);
      await kubectl().run('rollout', 'undo', 'deployment/kubectl-web');
      await status();
      expect(await image()).toBe('nginx:1.22');

      await kubectl().run('rollout', 'pause', 'deployment/kubectl-web');
      await kubectl().run('set', 'image', 'deployment/kubectl-web', 'nginx=nginx:1.23');
      const observed = async () => {
        const { metadata, status } = await kubectl().json<DeploymentJson>('get', 'deploy', 'kubectl-web');
        return status?.observedGeneration === metadata.generation ? status : undefined;
      };
      await waitFor(async () => (await observed()) !== undefined, { timeoutMs: 20_000, what: 'the change to be seen' });
      expect((await observed())?.updatedReplicas ?? 0).toBe(0);
      await kubectl().run('rollout', 'resume', 'deployment/kubectl-web');
      await status();
      expect(await image()).toBe('nginx:1.23');

      const before = new Set((await pods()).map(({ metadata }) => metadata.name));
      await kubectl().run('rollout', 'restart', 'deployment/kubectl-web');
      await status();
      await waitFor(async () => (await pods()).every(({ metadata }) => !before.has(metadata.name)), {
        timeoutMs: 30_000,
        what: 'none of the old Pods',
      });
    });

    test('expose, autoscale and describe', async () => {
      await kubectl().run('expose', 'deployment', 'kubectl-web', '--port=80');
      await kubectl().run('autoscale', 'deployment', 'kubectl-web', '--min=1', '--max=3', '--cpu-percent=80');
      expect(await kubectl().run('get', 'hpa', 'kubectl-web')).toMatch(/Deployment\/kubectl-web/);
      await kubectl().run('delete', 'hpa', 'kubectl-web');
      const described = await kubectl().run('describe', 'deployment', 'kubectl-web');
      expect(described).toMatch(/^Replicas:\s+2 desired/m);
      expect(described).toMatch(/^\s+Normal\s+ScalingReplicaSet\s/m);
      const name = (await pods())[0]?.metadata.name ?? '';
      expect(await kubectl().run('describe', 'pod', name)).toMatch(/^\s+Normal\s+Scheduled\s/m);
      await kubectl().run('delete', 'service', 'kubectl-web');
    });

    test('cordon, drain and uncordon', async () => {
      const [node] = (await kubectl().json<List<NodeJson>>('get', 'nodes')).items;
      const name = node?.metadata.name ?? '';
      const before = new Set((await pods()).map(({ metadata }) => metadata.name));
      const drained = await kubectl().run('drain', name, '--pod-selector=app=kubectl-web', '--timeout=60s');
      expect(drained).toContain(`node/${name} drained`);
      expect((await pods()).filter(({ metadata }) => before.has(metadata.name))).toEqual([]);
      expect(await kubectl().run('get', 'node', name)).toContain('Ready,SchedulingDisabled');
      await kubectl().run('uncordon', name);
      await status();
    });

    test.each([
      { cascade: 'orphan', left: 1 },
      { cascade: 'background', left: 0 },
      { cascade: 'foreground', left: 0 },
    ])('delete --cascade=$cascade leaves $left ReplicaSets', async ({ cascade, left }) => {
      const name = `cascade-${cascade}`;
      const own = { app: name };
      await kubectl().apply({
        ...web,
        metadata: { name, labels: own },
        spec: {
          replicas: 0,
          selector: { matchLabels: own },
          template: { ...web.spec.template, metadata: { labels: own } },
        },
      });
      const sets = async () => (await kubectl().json<List<PodJson>>('get', 'rs', '-l', `app=${name}`)).items;
      await waitFor(async () => (await sets()).length === 1, { timeoutMs: 20_000, what: 'a ReplicaSet' });
      await kubectl().run('delete', 'deployment', name, `--cascade=${cascade}`, '--timeout=30s');
      await waitFor(async () => (await sets()).length === left, { timeoutMs: 20_000, what: `${left} ReplicaSets` });
      // Who was orphaned has nobody left who could come back and remove it.
      for (const { metadata } of await sets()) {
        expect(metadata).not.toHaveProperty('ownerReferences');
        await kubectl().run('delete', 'rs', metadata.name);
      }
    });
  });
}
