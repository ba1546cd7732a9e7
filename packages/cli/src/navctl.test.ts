import { describe, expect, test } from 'vitest';
import { navctl } from './navctl.fixture.ts';

const apply = (stdin: string) => navctl(['apply', '-f', '-'], { stdin });

describe.concurrent('without an api', () => {
  test('says how to get one, and fails', async () => {
    const { code, out, err } = await navctl(['get', 'pods']);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain("The api at 127.0.0.1:1 can't be reached");
    expect(err).toContain('npm start');
  }, 30_000);

  test('lists the types that every cluster has', async () => {
    const { code, out, err } = await navctl(['api-resources']);
    expect(code).toBe(0);
    expect(err).toContain("can't be reached");
    expect(out).toMatch(/^NAME +SHORTNAMES +APIVERSION +NAMESPACED +KIND$/m);
    expect(out).toMatch(/^deployments +deploy +apps\/v1 +true +Deployment$/m);
  }, 30_000);

  test('guesses what a type may have been', async () => {
    const { code, err } = await navctl(['get', 'podz']);
    expect(code).toBe(1);
    expect(err).toContain('no resource type "podz"; did you mean "pods"?');
  }, 30_000);

  test('explains fields', async () => {
    const { out } = await navctl(['explain', 'deployments.apps.spec.replicas']);
    expect(out).toContain('FIELD: replicas <integer>');
    const wrong = await navctl(['explain', 'pod.spec.contaners']);
    expect(wrong).toMatchObject({
      code: 1,
      err: 'error: pod.spec has no field "contaners"; did you mean "containers"?\n',
    });
  });

  test('shows help and its own version', async () => {
    expect(await navctl([])).toMatchObject({ code: 0, out: expect.stringContaining('rollout') as string });
    expect(await navctl(['version', '--client'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Client Version: \d/) as string,
    });
  });
});

test('the help of every command has an example', async () => {
  const without: string[] = [];
  const visit = async (path: readonly string[]): Promise<void> => {
    const { code, out } = await navctl([...path, '--help']);
    expect(code).toBe(0);
    if (!/^Examples?:\n {2}navctl /m.test(out)) without.push(path.join(' '));
    // Headings end in a colon; below those that are about neither arguments nor flags stand commands.
    for (const [, heading = '', body = ''] of out.matchAll(/^(\S.*):\n((?: {2}.*\n)+)/gm)) {
      if (/^(Arguments|(Global )?Options|Examples?|Usage.*)$/.test(heading)) continue;
      for (const [, name = ''] of body.matchAll(/^ {2}([a-z][\w-]*)/gm))
        if (name !== 'help') await visit([...path, name]);
    }
  };
  await visit([]);
  expect(without).toEqual([]);
});

test.each([
  [['get'], 'say what'],
  [['get', 'pod/web', 'api'], '"api" must be TYPE/NAME'],
  [['get', 'pod', 'svc/web'], 'either name a type first'],
  [['get', 'pods', 'web', '-l', 'a=b'], 'exclude each other'],
  [['get', 'pods,svc', '-w'], 'only one type'],
  [['delete', 'pods'], 'say which pods'],
  [['delete', 'pod', 'web', '--grace-period=0'], '--force'],
  [['scale', 'cm/x', '--replicas=1'], 'have no replicas'],
  [['scale', 'deploy/x', '--replicas=x'], 'whole number'],
  [['scale', 'deploy/x', '--replicas=-1'], 'must not be negative'],
  [['rollout', 'status', 'svc/x'], 'have no rollouts'],
  [['set', 'image', 'deploy/x'], 'CONTAINER=IMAGE'],
  [['label', 'pod', 'x'], 'key=value'],
  [['patch', 'pod', 'x', '-p', '{'], 'the patch, column'],
  [['logs'], 'say of which Pod'],
  [['create'], 'say what'],
  [['apply', '-f', '/nowhere'], 'the path "/nowhere" does not exist'],
  [['wait', 'pod/x', '--for=lunch'], '--for must be'],
  [['events', '--types=Loud'], '--types must be Normal or Warning, not "Loud"'],
  [['events', '--for=web'], '--for must be TYPE/NAME'],
  [['events', '--since=yesterday'], 'a duration such as 30s'],
  [['autoscale', 'deploy/x'], '--max'],
  [['autoscale', 'deploy/x', '--min=3', '--max=2'], '--max must not be less'],
  [['autoscale', 'cm/x', '--max=2'], "can't be autoscaled"],
  [['autoscale', 'deploy/x', '--max=2', '--cpu=much'], 'a percentage such as 70%'],
  [['metrics', 'push', 'length'], 'NAME=VALUE'],
  [['metrics', 'push', 'length=1', '--for=web'], '--for must be TYPE/NAME'],
  [['top', 'pods', '--sort-by=age'], 'cpu, memory'],
  [['nonsense'], 'unknown command'],
])('%j is refused without asking the api', async (args, message) => {
  const { code, err } = await navctl(args);
  expect(code).toBe(1);
  expect(err).toContain(message);
});

describe('manifests are checked before any is sent', () => {
  test('all that is wrong is told, each with its place', async () => {
    const { code, err } = await apply(`apiVersion: v1
kind: Pod
metadata: {name: Web}
spec:
  containers:
    - name: a
      imagee: nginx
---
apiVersion: apps/v1
kind: Deploymnt
---
kind: Pod
kind: Pod
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  ports: [{port: 99999}]
`);
    expect(code).toBe(1);
    expect(err.split('\n')).toEqual([
      'error: nothing was sent, because:',
      '  stdin:7:7 spec.containers[0].imagee: unknown field; did you mean "image"?',
      '  stdin:10:1 kind: there is no kind "Deploymnt" of apps/v1; did you mean Deployment?',
      '  stdin:13:1 this key stands here twice; each key must be unique',
      '  stdin:19:12 spec.ports[0].port: 99999 must be from 1 to 65535',
      '',
    ]);
  });

  test('a name is needed, and must be one', async () => {
    expect((await apply('apiVersion: v1\nkind: ConfigMap\n')).err).toContain('stdin:1:1 metadata.name: must be set');
    const { err } = await apply('apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: A_b\n');
    expect(err).toContain('stdin:4:3 metadata.name: "A_b" must be a DNS name');
  });

  test('a List is read item by item', async () => {
    const { err } = await apply(
      'kind: List\nitems:\n  - apiVersion: v1\n    kind: Pod\n    metadata: {name: x, nam: y}\n',
    );
    expect(err).toContain('stdin:5:25 items[0].metadata.nam: unknown field; did you mean "name"?');
  });

  test('a namespace must be the one that was asked for', async () => {
    const stdin = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: a}\n';
    const { err } = await navctl(['apply', '-f', '-', '-n', 'b'], { stdin });
    expect(err).toContain('metadata.namespace: is "a", but --namespace says "b"');
  });

  test('no manifest is an error', async () => {
    expect((await apply('# nothing\n')).err).toBe('error: no manifests in -\n');
  });
});
