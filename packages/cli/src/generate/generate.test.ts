import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { navctl } from '../navctl.fixture.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'navctl-'));
  await writeFile(join(dir, 'app.conf'), 'level=info\n');
  await writeFile(join(dir, 'not a key'), 'left out');
  await writeFile(join(dir, 'image.bin'), Buffer.from([0xff, 0xfe, 0x00]));
  await writeFile(join(dir, 'vars.env'), '# a remark\nA=1\n  B=x=y\nHOME_OF_NOBODY\n\n');
  await writeFile(join(dir, 'bad.env'), 'A=1\nB C=2\n');
  for (const name of ['one', 'two']) {
    const files = ['-keyout', join(dir, `${name}.key`), '-out', join(dir, `${name}.crt`)];
    const subject = ['-subj', `/CN=${name}`, '-days', '1'];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', ...files, ...subject],
      {
        stdio: 'ignore',
      },
    );
  }
});
afterAll(() => rm(dir, { recursive: true }));

/** DIR stands for the folder of the test's files. */
const words = (line: string) => line.split(' ').map((word) => word.replace('DIR', dir));

async function made(line: string): Promise<unknown> {
  const [command = '', ...rest] = words(line);
  const split = rest.indexOf('--');
  const flags = ['--dry-run=client', '-o', 'json'];
  const args = split < 0 ? [...rest, ...flags] : [...rest.slice(0, split), ...flags, ...rest.slice(split)];
  const { code, out, err } = await navctl([command, ...args]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out);
}

describe('what flags make is shown without an api', () => {
  test.each<[string, object]>([
    ['create namespace team-a', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team-a' } }],
    [
      'create configmap c --from-literal=a=1 --from-literal=b=x=y',
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { a: '1', b: 'x=y' } },
    ],
    ['create cm c --from-file=DIR/app.conf', { data: { 'app.conf': 'level=info\n' } }],
    ['create cm c --from-file=other=DIR/app.conf', { data: { other: 'level=info\n' } }],
    ['create cm c --from-file=DIR/image.bin', { binaryData: { 'image.bin': '//4A' } }],
    ['create cm c --from-env-file=DIR/vars.env', { data: { A: '1', B: 'x=y' } }],
    ['create secret generic s --from-literal=p=secret --type=x/y', { type: 'x/y', data: { p: 'c2VjcmV0' } }],
    ['create secret tls s --cert=DIR/one.crt --key=DIR/one.key', { type: 'kubernetes.io/tls' }],
    [
      'create secret docker-registry r --docker-server=r.example.com --docker-username=me --docker-password=pw',
      {
        type: 'kubernetes.io/dockerconfigjson',
        data: {
          '.dockerconfigjson': Buffer.from(
            '{"auths":{"r.example.com":{"username":"me","password":"pw","auth":"bWU6cHc="}}}',
          ).toString('base64'),
        },
      },
    ],
    [
      'create deployment web --image=example.com/team/web:1.2 --replicas=3 --port=80',
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web', labels: { app: 'web' } },
        spec: {
          replicas: 3,
          selector: { matchLabels: { app: 'web' } },
          template: {
            metadata: { labels: { app: 'web' } },
            spec: {
              containers: [{ name: 'web', image: 'example.com/team/web:1.2', ports: [{ containerPort: 80 }] }],
            },
          },
        },
      },
    ],
    [
      'create deploy two --image=a:1 --image=b/a:2',
      {
        spec: {
          template: {
            spec: {
              containers: [
                { name: 'a', image: 'a:1' },
                { name: 'a-2', image: 'b/a:2' },
              ],
            },
          },
        },
      },
    ],
    [
      'create deployment s --image=busybox -- sleep 1d',
      { spec: { template: { spec: { containers: [{ command: ['sleep', '1d'] }] } } } },
    ],
    [
      'create job hello --image=busybox -- echo hello',
      {
        apiVersion: 'batch/v1',
        kind: 'Job',
        spec: {
          template: {
            spec: {
              restartPolicy: 'Never',
              containers: [{ name: 'hello', image: 'busybox', command: ['echo', 'hello'] }],
            },
          },
        },
      },
    ],
    [
      'create cronjob tick --image=busybox --schedule=@hourly --restart=Never -- date',
      {
        apiVersion: 'batch/v1',
        kind: 'CronJob',
        spec: {
          schedule: '@hourly',
          jobTemplate: {
            spec: { template: { spec: { restartPolicy: 'Never', containers: [{ command: ['date'] }] } } },
          },
        },
      },
    ],
    [
      'create service clusterip web --tcp=80:8080 --tcp=443:https',
      {
        metadata: { name: 'web', labels: { app: 'web' } },
        spec: {
          type: 'ClusterIP',
          selector: { app: 'web' },
          ports: [
            { name: '80-8080', port: 80, protocol: 'TCP', targetPort: 8080 },
            { name: '443-https', port: 443, protocol: 'TCP', targetPort: 'https' },
          ],
        },
      },
    ],
    ['create service clusterip db --clusterip=None', { spec: { clusterIP: 'None' } }],
    ['create svc nodeport web --tcp=80 --node-port=30080', { spec: { ports: [{ port: 80, nodePort: 30080 }] } }],
    ['create service loadbalancer web --tcp=80', { spec: { type: 'LoadBalancer' } }],
    [
      'create service externalname db --external-name=db.example.com',
      { spec: { type: 'ExternalName', externalName: 'db.example.com' } },
    ],
    [
      'create role r --verb=get,list --resource=pods,pods/log,deploy -n shop',
      {
        kind: 'Role',
        metadata: { name: 'r', namespace: 'shop' },
        rules: [
          { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods', 'pods/log'] },
          { verbs: ['get', 'list'], apiGroups: ['apps'], resources: ['deployments'] },
        ],
      },
    ],
    [
      'create clusterrole c --verb=get --non-resource-url=/metrics',
      { rules: [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }] },
    ],
    [
      'create clusterrole whole --aggregation-rule=team=a',
      { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { team: 'a' } }] } },
    ],
    [
      'create rolebinding b --clusterrole=edit --user=jane --serviceaccount=ci:builder',
      {
        roleRef: { kind: 'ClusterRole', name: 'edit' },
        subjects: [
          { kind: 'User', name: 'jane' },
          { kind: 'ServiceAccount', namespace: 'ci', name: 'builder' },
        ],
      },
    ],
    [
      'create clusterrolebinding b --clusterrole=view --group=readers',
      { roleRef: { name: 'view' }, subjects: [{ kind: 'Group', name: 'readers' }] },
    ],
    [
      'create quota q --hard=pods=10,requests.cpu=4 --scopes=NotBestEffort',
      { spec: { hard: { pods: '10', 'requests.cpu': '4' }, scopes: ['NotBestEffort'] } },
    ],
    [
      'create priorityclass urgent --value=1000 --global-default --preemption-policy=Never',
      { value: 1000, globalDefault: true, preemptionPolicy: 'Never' },
    ],
    [
      'run web --image=nginx --env=A=1 --port=80 --labels=app=web,tier=front --restart=Never -- -g x',
      {
        kind: 'Pod',
        metadata: { name: 'web', labels: { app: 'web', tier: 'front' } },
        spec: {
          restartPolicy: 'Never',
          containers: [
            {
              name: 'web',
              image: 'nginx',
              args: ['-g', 'x'],
              env: [{ name: 'A', value: '1' }],
              ports: [{ containerPort: 80 }],
            },
          ],
        },
      },
    ],
    [
      'run web --image=nginx --limits=cpu=1 --command -- sleep 5',
      { spec: { containers: [{ command: ['sleep', '5'], resources: { limits: { cpu: '1' } } }] } },
    ],
  ])('%s', async (line, expected) => {
    expect(await made(line)).toMatchObject(expected);
  });

  test('a folder gives all files whose names can be keys', async () => {
    const { data } = (await made('create cm c --from-file=DIR')) as { data: object };
    expect(Object.keys(data).sort()).toEqual([
      'app.conf',
      'bad.env',
      'one.crt',
      'one.key',
      'two.crt',
      'two.key',
      'vars.env',
    ]);
  });

  test('a namespace is in it only when it was named', async () => {
    expect(await made('create cm c')).toMatchObject({ metadata: { name: 'c' } });
    expect(await made('create cm c')).not.toHaveProperty('metadata.namespace');
    expect(await made('create cm c -n shop')).toHaveProperty('metadata.namespace', 'shop');
  });

  test('as lines, names and YAML', async () => {
    const create = (...more: string[]) => navctl(['create', 'ns', 'a', '--dry-run=client', ...more]);
    expect((await create()).out).toBe('namespace/a created (dry run)\n');
    expect((await create('-o', 'name')).out).toBe('namespace/a\n');
    expect((await create('-o', 'yaml')).out).toBe('apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n');
  });
});

test.each([
  ['create', 'say what: -f FILE, or one of namespace'],
  ['create --dryrun -f x', "unknown option '--dryrun'"],
  ['create ns a --nonsense', "unknown option '--nonsense'"],
  ['create deploiment web --image=nginx', '"deploiment" can\'t be made from flags; did you mean "deployment"?'],
  ['create node n1', '"node" can\'t be made from flags'],
  ['create namespace Team', 'metadata.name: "Team" must be'],
  ['create cm c --from-literal=x', '"x" must be KEY=VALUE'],
  ['create cm c --from-literal=a=1 --from-literal=a=2', 'the key "a" is there already'],
  ['create cm c --from-literal=a/b=1', '"a/b" as a key'],
  ['create cm c --from-file=/nowhere', 'the path "/nowhere" does not exist'],
  ['create cm c --from-file=x=DIR', 'is a folder'],
  ['create cm c --from-env-file=DIR/bad.env', 'bad.env:2: "B C" as a key'],
  ['create cm c --from-env-file=DIR/vars.env --from-literal=a=1', '--from-env-file excludes'],
  ['create secret tls s --cert=DIR/one.crt --key=DIR/two.key', 'is not of the key'],
  ['create secret tls s --cert=DIR/app.conf --key=DIR/two.key', 'app.conf is no certificate as PEM'],
  ['create secret docker-registry r', '--docker-username and --docker-password'],
  ['create secret', 'Usage: navctl create secret'],
  ['create deployment web', 'say what to run: --image=IMAGE'],
  ['create deployment web --image=nginx --replicas=-1', 'spec.replicas'],
  ['create deployment web --image=', '--image must not be empty'],
  ['create service clusterip web', 'say which port: --tcp=80'],
  ['create service clusterip web --tcp=web', 'must be PORT or PORT:TARGET'],
  ['create service clusterip web --tcp=99999', 'must be from 1 to 65535'],
  ['create cronjob tick --image=busybox --schedule=soon', 'spec.schedule: has 1 fields'],
  ['create job now --from=deploy/web', '--from must be cronjob/NAME'],
  ['create quota q --hard=pods', '"pods" must be as in pods=10'],
  ['create quota q --scopes=Big', 'spec.scopes[0]'],
  ['create priorityclass system-x --value=1', 'metadata.name'],
  ['run web', "required option '--image <image>' not specified"],
  ['run web --image=nginx --rm', '--rm waits for the end of the program'],
  ['run web --image=nginx -t', '-t needs -i'],
  ['run web --image=nginx --expose', '--expose needs --port'],
  ['run web --image=nginx --env=A', '"A" is no change'],
  ['run Web --image=nginx', 'metadata.name'],
  ['set env deploy/x A', 'say what to change'],
  ['set env deploy/x', 'say what to change'],
  ['set env deploy/x A=1 A-', '"A" stands there twice'],
  ['set env deploy/x --list A=1', '--list shows, and changes nothing'],
  ['set env deploy/x --prefix=A_', 'go with --from'],
  ['set env deploy/x --from=pod/y', '--from must be configmap/NAME or secret/NAME'],
  ['set resources deploy/x', 'say how much'],
  ['set resources deploy/x --limits=cpu=much', '"much" for cpu is no quantity'],
  ['set resources deploy/x --limits=cpu', '"cpu" must be as in cpu=500m'],
  ['set image deploy/x =y', '"=y" must be CONTAINER=IMAGE'],
  ['set serviceaccount deploy/x', 'say which service account'],
  ['set selector svc/x', 'say which labels'],
  ['expose', 'say what'],
  ['expose deploy', 'say which deployments'],
  ['label pod x a=1 b', '"b" is no change'],
  ['label pod x a=1 a-', '"a" stands there twice'],
  ['annotate pods a=1', 'say which pods'],
  ['patch pod x', 'say how to change it: -p PATCH'],
  ['patch pod x --patch-file=/nowhere', 'the path "/nowhere" does not exist'],
  ['patch pod x -p a', 'must be an object'],
])('%s is refused without asking the api', async (line, message) => {
  const { code, out, err } = await navctl(words(line));
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toContain(message);
});
