import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';
import { commandLines } from './command-lines.fixture.ts';
import { terminalScreen } from './terminal-screen.ts';
import { deployment, untilExactly } from './workloads.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let cluster: ClusterInProcess;
beforeAll(async () => {
  cluster = await ClusterInProcess.start({ nodes: 1 });
  await cluster.apply(deployment({ name: 'web', replicas: 2, image: 'web:1' }));
  await untilExactly(cluster, [{ name: 'web', replicas: 2, image: 'web:1' }]);
});
afterAll(() => cluster.stop());

const { navctl } = commandLines(() => cluster);
const done = 'deployment "web" successfully rolled out\n';

describe('a rollout', () => {
  test('is followed in a pipe, a line for each change', async () => {
    expect(await navctl('set image deploy/web c=web:2')).toMatchObject({ code: 0 });
    const { code, out, err } = await navctl('rollout status deploy/web');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const lines = out.split('\n');
    expect(new Set(lines).size).toBe(lines.length);
    expect(lines.length).toBeGreaterThan(2);
    expect(out.endsWith(done)).toBe(true);
  });

  test('is one picture at a terminal, and in the end only the result stays', async () => {
    await navctl('set image deploy/web c=web:3');
    const { code, out } = await cluster.navctlAtTerminal('rollout', 'status', 'deploy/web');
    expect(code).toBe(0);
    const text = stripVTControlCharacters(out);
    expect(text).toContain('deployment.apps/web to revision 3: web:3');
    expect(text).toContain('░░');
    expect(terminalScreen(out)).toBe(done.trimEnd());
  });

  test('is followed with --wait by what began it', async () => {
    const { code, out } = await navctl('rollout restart deploy/web --wait');
    expect(code).toBe(0);
    expect(out).toMatch(/^deployment\.apps\/web restarted\nWaiting for deployment/);
    expect(out.endsWith(done)).toBe(true);
  });

  test('is followed by apply, too', async () => {
    const manifest = JSON.stringify(deployment({ name: 'applied', replicas: 1, image: 'web:1' }));
    const { code, out } = await cluster.navctlWith(manifest, 'apply', '-f', '-', '--wait', '--timeout=1m');
    expect(code).toBe(0);
    expect(out).toMatch(/^deployment\.apps\/applied created\nWaiting/);
    expect(out.endsWith('deployment "applied" successfully rolled out\n')).toBe(true);
    await navctl('delete deploy/applied');
  });

  test('that is over is seen at one look', async () => {
    expect(await navctl('rollout status deploy/web --watch=false')).toEqual({ code: 0, out: done, err: '' });
    expect(await navctl('rollout status deploy -l nothing=here')).toMatchObject({
      code: 0,
      err: 'No resources found\n',
    });
  });

  test('that another one overtook is told', async () => {
    const { code, err } = await navctl('rollout status deploy/web --revision=1');
    expect({ code, err }).toEqual({
      code: 1,
      err: 'error: desired revision (1) is different from the running revision (4)\n',
    });
  });

  test('that takes too long says which Pods are in the way, and why', async () => {
    const choosy = deployment({ name: 'choosy', replicas: 1, image: 'web:1' }) as {
      spec: { template: { spec: { nodeSelector?: object } } };
    };
    choosy.spec.template.spec.nodeSelector = { disk: 'gold' };
    await cluster.apply(choosy);
    await cluster.time.until('the scheduler to have said no', async () => {
      const { out } = await navctl('get pods -l app=choosy -o yaml');
      return out.includes('Unschedulable');
    });
    const waited = navctl('rollout status deploy/choosy --timeout=1ms');
    const { code, err } = await waited;
    expect(code).toBe(1);
    expect(err).toMatch(
      /^error: timed out waiting for the rollout of deployment "choosy"; not available:\n {2}pod\/choosy-\S+: fits no node: 0\/1 nodes/,
    );
    await navctl('delete deploy/choosy');
  });
});

describe('revisions', () => {
  test('are listed, and each is shown', async () => {
    const { out } = await navctl('rollout history deploy/web');
    expect(out).toMatch(
      /^deployment\.apps\/web \nREVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>\n3 +<none>\n4 +<none>\n\n$/,
    );
    const one = await navctl('rollout history deploy/web --revision=2');
    expect(one.out).toMatch(/^deployment\.apps\/web with revision #2\nPod Template:\n {2}Labels: +app=web\n/);
    expect(one.out).toContain('web:2');
    expect(one.out).not.toContain('pod-template-hash');
    expect((await navctl('rollout history deploy/web -o name')).out.trim().split('\n')).toHaveLength(4);
    const none = await navctl('rollout history deploy/web --revision=9');
    expect(none.err).toBe('error: unable to find revision 9 of deployment "web"; there is 1, 2, 3, 4\n');
  });

  test('come back, with what was said of them', async () => {
    await navctl('set image deploy/web c=web:4 --wait');
    await navctl('annotate deploy/web kubernetes.io/change-cause=better');
    await navctl('rollout status deploy/web');
    await navctl('set image deploy/web c=web:5 --wait');
    await navctl('annotate deploy/web kubernetes.io/change-cause=best --overwrite');
    expect((await navctl('rollout undo deploy/web --dry-run')).out).toBe(
      'deployment.apps/web rolled back (server dry run)\n',
    );
    const { out } = await navctl('rollout undo deploy/web --wait');
    expect(out.startsWith('deployment.apps/web rolled back\n')).toBe(true);
    await untilExactly(cluster, [{ name: 'web', replicas: 2, image: 'web:4' }]);
    expect((await navctl('annotate deploy/web --list')).out).toContain('kubernetes.io/change-cause=better\n');
    expect((await navctl('rollout undo deploy/web --to-revision=7')).out).toBe(
      'deployment.apps/web skipped rollback (current template already matches revision 7)\n',
    );
  });
});

test('a paused rollout is held until it is resumed', async () => {
  expect(await navctl('rollout pause deploy/web')).toMatchObject({ code: 0, out: 'deployment.apps/web paused\n' });
  expect((await navctl('rollout pause deploy/web')).err).toBe('error: deployments "web" is already paused\n');
  expect((await navctl('rollout restart deploy/web')).err).toContain("can't restart paused deployment");
  expect((await navctl('rollout undo deploy/web')).err).toContain('resume it first: navctl rollout resume');
  expect(await navctl('rollout resume deploy/web')).toMatchObject({ code: 0, out: 'deployment.apps/web resumed\n' });
  expect((await navctl('rollout resume deploy/web')).err).toBe('error: deployments "web" is not paused\n');
});

describe('a StatefulSet', () => {
  test('rolls out, and back, Pod by Pod', async () => {
    const template = { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'c', image: 'db:1' }] } };
    const spec = { replicas: 2, serviceName: 'db', selector: { matchLabels: { app: 'db' } }, template };
    await cluster.apply({ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'db' }, spec });
    const first = await navctl('rollout status sts/db');
    expect(first).toMatchObject({ code: 0, err: '' });
    expect(first.out).toMatch(/statefulset rolling update complete 2 pods at revision db-\S+\.\.\.\n$/);
    const second = await navctl('set image sts/db c=db:2 --wait');
    expect(second.out).toMatch(/^statefulset\.apps\/db image updated\n[Ww]aiting for/);
    const { out } = await navctl('rollout history sts/db');
    expect(out).toMatch(/^statefulset\.apps\/db \nREVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>\n\n$/);
    expect((await navctl('rollout undo sts/db --wait')).out).toMatch(/^statefulset\.apps\/db rolled back\n/);
    expect((await navctl('get pods -l app=db -o yaml')).out.match(/^ +(- )?name: c\n +image: db:1/gm)).toHaveLength(2);
    expect((await navctl('rollout history sts/db --revision=3')).out).toContain('db:1');
    expect((await navctl('rollout restart sts/db --wait')).out).toMatch(/^statefulset\.apps\/db restarted\n/);
  });

  test('at a terminal, shows old and new Pods', async () => {
    await navctl('set image sts/db c=db:3');
    const { code, out } = await cluster.navctlAtTerminal('rollout', 'status', 'sts/db');
    expect(code).toBe(0);
    expect(stripVTControlCharacters(out)).toMatch(/ \d of 2 new Pods available\n\d old Pods? left, \d available/);
  });

  test('is not paused', async () => {
    expect((await navctl('rollout pause sts/db')).err).toBe("error: statefulsets can't be paused\n");
  });
});

test('a DaemonSet rolls out, and back', async () => {
  const podSpec = { terminationGracePeriodSeconds: 1, containers: [{ name: 'c', image: 'logs:1' }] };
  const template = { metadata: { labels: { app: 'logs' } }, spec: podSpec };
  const spec = { selector: { matchLabels: { app: 'logs' } }, template };
  await cluster.apply({ apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'logs' }, spec });
  const successful = 'daemon set "logs" successfully rolled out\n';
  expect((await navctl('rollout status ds/logs')).out.endsWith(successful)).toBe(true);
  await navctl('set image ds/logs c=logs:2');
  const { out } = await cluster.navctlAtTerminal('rollout', 'status', 'ds/logs');
  expect(stripVTControlCharacters(out)).toContain('daemonset.apps/logs to revision 2: logs:2\n');
  expect(terminalScreen(out)).toBe(successful.trimEnd());
  expect((await navctl('rollout history ds/logs')).out).toMatch(/\n1 +<none>\n2 +<none>\n/);
  const undone = await navctl('rollout undo ds/logs --wait');
  expect(undone.out).toMatch(/^daemonset\.apps\/logs rolled back\n/);
  expect((await navctl('rollout history ds/logs --revision=3')).out).toContain('logs:1');
  expect((await navctl('rollout restart ds/logs --wait')).out.endsWith(successful)).toBe(true);
  await navctl('patch ds logs -p {"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null}}}');
  expect((await navctl('rollout status ds/logs')).err).toContain('only available for RollingUpdate strategy type');
});

test.each([
  ['rollout status cm/x', 'configmaps have no rollouts; Deployments'],
  ['rollout status deploy/nothing', 'deployments.apps "nothing" not found'],
  ['rollout undo deploy/nothing', 'not found'],
  ['rollout restart deploy', 'say which deployments'],
  ['rollout history deploy/web -l app=web', 'a name excludes -l'],
])('%s is refused', async (line, message) => {
  const { code, err } = await navctl(line);
  expect(code).toBe(1);
  expect(err).toContain(message);
});
