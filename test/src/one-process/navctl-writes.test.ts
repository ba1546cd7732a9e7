import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ClusterInProcess } from './cluster-in-process.ts';
import { commandLines } from './command-lines.fixture.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let cluster: ClusterInProcess;
let dir = '';
const { navctl, good } = commandLines(() => cluster);
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'navctl-'));
  cluster = await ClusterInProcess.start({ nodes: 1 });
  await good('create deployment web --image=web:1 --image=side:1 --replicas=1 --port=80');
});
afterAll(async () => {
  await cluster.stop();
  await rm(dir, { recursive: true });
});

async function get(what: string): Promise<Record<string, unknown>> {
  return JSON.parse(await good(`get ${what} -o json`)) as Record<string, unknown>;
}

const containers = async () => {
  const { spec } = (await get('deploy web')) as { spec: { template: { spec: { containers: object[] } } } };
  return spec.template.spec.containers;
};

describe('set', () => {
  test('image: of one container, and of all', async () => {
    expect(await good('set image deploy/web side=side:2')).toBe('deployment.apps/web image updated\n');
    expect(await containers()).toMatchObject([{ image: 'web:1' }, { image: 'side:2' }]);
    expect(await good('set image deploy -l app=web *=web:3')).toBe('deployment.apps/web image updated\n');
    expect(await containers()).toMatchObject([{ image: 'web:3' }, { image: 'web:3' }]);
    expect(await good('set image deploy/web *=web:3')).toBe('deployment.apps/web image unchanged\n');
    expect((await navctl('set image deploy/web nope=x')).err).toBe(
      'error: unable to find container named "nope"; there is web, side\n',
    );
  });

  test('env: values, from settings, removed, listed', async () => {
    await good('create configmap settings --from-literal=log-level=debug --from-literal=color=blue');
    await good('create secret generic db --from-literal=password=secret');
    expect(await good('set env deploy/web -c web A=1 B=two')).toBe('deployment.apps/web env updated\n');
    await good('set env deploy/web -c web --from=configmap/settings --prefix=APP_');
    await good('set env deploy/web -c w* --from=secret/db --keys=password A- B=three');
    expect(await good('set env deploy/web --list')).toBe(
      [
        '# deployment.apps/web, container web',
        'B=three',
        '# APP_COLOR from configmap settings, key color',
        '# APP_LOG_LEVEL from configmap settings, key log-level',
        '# PASSWORD from secret db, key password',
        '# deployment.apps/web, container side',
        '',
      ].join('\n'),
    );
    await good('set env deploy/web -c web PASSWORD=open');
    expect(await good('set env deploy/web --list -c web')).toContain('PASSWORD=open\n');
    expect((await navctl('set env deploy/web B=4 --overwrite=false')).err).toContain('B has a value already');
    expect((await navctl('set env deploy/web -c nope B=4')).err).toContain('there is web, side');
    expect((await navctl('set env deploy/web --from=cm/settings --keys=x')).err).toContain('has no key "x"; it has');
    expect((await cluster.navctlWith('# x\nC=5\n', 'set', 'env', 'deploy/web', '-e', '-')).code).toBe(0);
    expect(await good('set env deploy/web --list -c side')).toContain('C=5\n');
  });

  test('resources: what is named, and nothing else', async () => {
    const done = 'deployment.apps/web resource requirements updated\n';
    expect(await good('set resources deploy/web -c web --limits=memory=256Mi --requests=cpu=100m,memory=64Mi')).toBe(
      done,
    );
    await good('set resources deploy/web -c web --requests=cpu=200m');
    expect((await containers())[0]).toMatchObject({
      resources: { limits: { memory: '256Mi' }, requests: { cpu: '200m', memory: '64Mi' } },
    });
    expect((await containers())[1]).not.toHaveProperty('resources');
  });

  test('selector: of a Service', async () => {
    await good('create service clusterip aim --tcp=80');
    expect(await good('set selector svc/aim app=web,tier=front')).toBe('service/aim selector updated\n');
    expect(await get('svc aim')).toMatchObject({ spec: { selector: { app: 'web', tier: 'front' } } });
    expect((await navctl('set selector deploy/web a=b')).err).toContain("can't be set; that of Services can");
  });

  test('serviceaccount: of a workload', async () => {
    await good('create sa worker');
    expect(await good('set serviceaccount deploy/web worker')).toBe('deployment.apps/web serviceaccount updated\n');
    expect(await get('deploy web')).toMatchObject({ spec: { template: { spec: { serviceAccountName: 'worker' } } } });
    expect(await good('set sa deploy/web worker')).toBe('deployment.apps/web serviceaccount unchanged\n');
  });

  test('nothing that has no containers', async () => {
    expect((await navctl('set image cm/settings a=b')).err).toBe(
      'error: configmap/settings has no containers; Pods and workloads do\n',
    );
  });
});

describe('expose', () => {
  test('a Deployment, at the ports that its containers say', async () => {
    expect(await good('expose deploy/web')).toBe('service/web exposed\n');
    expect(await get('svc web')).toMatchObject({
      metadata: { labels: { app: 'web' } },
      spec: {
        selector: { app: 'web' },
        ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      },
    });
  });

  test('with what the flags say', async () => {
    await good('expose deploy web --port=8080 --target-port=http --name=other --type=NodePort -l tier=front');
    expect(await get('svc other')).toMatchObject({
      metadata: { labels: { tier: 'front' } },
      spec: { type: 'NodePort', ports: [{ port: 8080, protocol: 'TCP', targetPort: 'http' }] },
    });
    await good('expose svc/other --name=third --port=81');
    expect(await get('svc third')).toMatchObject({ spec: { selector: { app: 'web' }, ports: [{ port: 81 }] } });
    expect((await navctl('expose cm/settings')).err).toContain('configmap/settings chooses no Pods');
    expect((await navctl('expose deploy/web')).err).toContain('AlreadyExists');
  });
});

test('create: Jobs, now and at their times', async () => {
  expect(await good('create job hello --image=busybox -- echo hello')).toBe('job.batch/hello created\n');
  expect(await get('job hello')).toMatchObject({
    spec: {
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'hello', command: ['echo', 'hello'] }] } },
    },
  });
  await cluster.navctl('create', 'cronjob', 'tick', '--image=busybox', '--schedule=*/5 * * * *', '--', 'date');
  expect(await good('create job now --from=cronjob/tick')).toBe('job.batch/now created\n');
  expect(await get('job now')).toMatchObject({
    metadata: {
      annotations: { 'cronjob.kubernetes.io/instantiate': 'manual' },
      ownerReferences: [{ kind: 'CronJob', name: 'tick', controller: true }],
    },
    spec: { template: { spec: { containers: [{ command: ['date'] }] } } },
  });
  expect(await good('set image cronjob/tick tick=busybox:2')).toBe('cronjob.batch/tick image updated\n');
  expect((await navctl('create job x --from=deploy/web')).err).toContain('--from must be cronjob/NAME');
  expect((await navctl('create job x --from=cronjob/none')).err).toContain('NotFound');
  expect((await navctl('create job x --from=cronjob/tick --image=a')).err).toContain('give one or the other');
  expect((await navctl('create cronjob x --image=a --schedule=often')).err).toContain('spec.schedule');
  await good('create pdb web --selector=app=web --max-unavailable=25%');
  expect(await get('pdb web')).toMatchObject({
    spec: { maxUnavailable: '25%', selector: { matchLabels: { app: 'web' } } },
  });
  expect((await navctl('create pdb x --selector=app=web')).err).toContain('--min-available or --max-unavailable');
  expect((await navctl('create pdb x --min-available=1')).err).toContain('say which Pods');
  expect(await good('create sa builder')).toBe('serviceaccount/builder created\n');
});

describe('run', () => {
  test('a Pod, and a Service for it', async () => {
    expect(await good('run solo --image=web:1 --port=80 --expose')).toBe('pod/solo created\nservice/solo created\n');
    expect(await get('svc solo')).toMatchObject({ spec: { selector: { run: 'solo' }, ports: [{ port: 80 }] } });
  });

  test('a program in it, whose exit code it gives, and removes the Pod', async () => {
    const { code, out } = await navctl('run once --image=web:1 -i --rm -- sh -c exit\t7'.replace('\t', ' '));
    expect(out).toContain('pod/once created\n');
    expect(out).toContain('pod "once" deleted\n');
    expect(code).toBe(0);
    await cluster.time.until('the Pod to be gone', async () => (await navctl('get pod once')).code === 1);
  });

  test('says what keeps the Pod from running', async () => {
    const big = await navctl('run big --image=web:1 --requests=cpu=100 -i --rm --pod-running-timeout=1s -- true');
    expect(big.code).toBe(1);
    expect(big.err).toMatch(/timed out waiting for pod "big" to run: (fits no node|waits for the scheduler)/);
  });
});

describe.each([
  ['label', 'labeled', 'unlabeled'],
  ['annotate', 'annotated', 'annotated'],
])('%s', (verb, set, removed) => {
  test('one, several, and all', async () => {
    await good('create cm one');
    await good('create cm two');
    expect(await good(`${verb} cm one two x/a=1`)).toBe(`configmap/one ${set}\nconfigmap/two ${set}\n`);
    const again = await navctl(`${verb} cm one two x/a=2`);
    expect(again).toMatchObject({ code: 1, out: '' });
    expect(again.err).toContain('configmap/one has x/a=1 already; --overwrite changes it\n');
    expect(again.err).toContain('configmap/two has x/a=1 already');
    await good(`${verb} cm one x/a=2 --overwrite`);
    expect(await good(`${verb} cm one --list`)).toBe('x/a=2\n');
    expect(await good(`${verb} cm one two --list`)).toBe(
      `Listing ${verb === 'label' ? 'labels' : 'annotations'} for configmap/one:\n x/a=2\nListing ${verb === 'label' ? 'labels' : 'annotations'} for configmap/two:\n x/a=1\n`,
    );
    expect(await good(`${verb} cm one x/a=2`)).toBe(`configmap/one not ${set}\n`);
    expect(await good(`${verb} cm one x/a-`)).toBe(`configmap/one ${removed}\n`);
    expect((await navctl(`${verb} cm one x/a-`)).err).toContain('"x/a" not found');
    expect(await good(`${verb} cm --all x/b=1 --dry-run`)).toContain(`configmap/one ${set} (server dry run)\n`);
    expect(await good(`${verb} cm two x/b=1 -o name`)).toBe('configmap/two\n');
    expect((await navctl(`${verb} cm one x/b=1 --resource-version=1`)).err).toContain('Conflict');
    await good('delete cm one two');
  });
});

test('scale: by name and by label', async () => {
  expect(await good('scale deploy/web --replicas=2')).toBe('deployment.apps/web scaled\n');
  expect(await good('scale deploy -l app=web --replicas=1')).toBe('deployment.apps/web scaled\n');
  expect(await get('deploy web')).toMatchObject({ spec: { replicas: 1 } });
  expect((await navctl('scale deploy/web --replicas=1 --current-replicas=7')).err).toContain('Conflict');
});

test('patch: from a file, several objects, printed', async () => {
  await good('create cm p --from-literal=a=1');
  await writeFile(join(dir, 'patch.yaml'), 'data:\n  b: "2"\n');
  expect(await good(`patch cm p --patch-file=${dir}/patch.yaml`)).toBe('configmap/p patched\n');
  expect(await good('patch cm p -p {"data":{"b":"2"}}')).toBe('configmap/p patched (no change)\n');
  const shown = await good('patch cm p --type=json -p [{"op":"remove","path":"/data/a"}] --dry-run -o json');
  expect(JSON.parse(shown)).toMatchObject({ data: { b: '2' } });
  expect(await get('cm p')).toMatchObject({ data: { a: '1', b: '2' } });
  await good('patch deploy web --subresource=scale --type=merge -p {"spec":{"replicas":2}}');
  expect(await get('deploy web')).toMatchObject({ spec: { replicas: 2 } });
  await writeFile(join(dir, 'broken.yaml'), 'data:\n  b: [\n');
  expect((await navctl(`patch cm p --patch-file=${dir}/broken.yaml`)).err).toContain('broken.yaml:3:');
});
