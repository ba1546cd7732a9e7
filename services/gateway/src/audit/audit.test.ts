import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, VirtualClock } from '@navarch/kit';
import { ApiError } from '@navarch/machinery';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Exchange } from '../http/exchange.ts';
import { bodySeen } from '../http/kept-bodies.ts';
import type { Identity } from '../identity.ts';
import { readTarget, type Target } from '../routes/target.ts';
import { auditFilter } from './audit-filter.ts';
import { type AuditPolicy, decide, readAuditPolicy, usualPolicy } from './policy.ts';
import { RotatingFile } from './rotating-file.ts';

const jane: Identity = { user: 'jane', groups: ['devs', 'system:authenticated'], uid: '', extra: {} };

function targetOf(method: string, path: string): Target {
  const target = readTarget(method, path, new URLSearchParams());
  if (target === undefined) throw new Error(path);
  return target;
}

describe('a policy', () => {
  const policy = readAuditPolicy(
    `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: None
    users: ["system:probe"]
  - level: RequestResponse
    resources: [{ group: "", resources: ["pods"], resourceNames: ["web"] }]
    omitStages: [ResponseStarted]
  - level: Request
    verbs: [create, delete]
    namespaces: [shop]
  - level: Metadata
    resources: [{ group: apps }, { group: "", resources: ["pods/*"] }]
  - level: Request
    userGroups: [auditors]
  - level: RequestResponse
    resources: [{ group: "", resources: [secrets, serviceaccounts/token] }]
  - level: Metadata
    nonResourceURLs: ["/api*"]
`,
    'policy.yaml',
  );

  test.each([
    {
      name: 'the first rule that fits counts',
      method: 'GET',
      path: '/api/v1/pods',
      user: 'system:probe',
      level: 'None',
    },
    { name: 'a name', method: 'GET', path: '/api/v1/namespaces/x/pods/web', level: 'RequestResponse' },
    { name: 'another name', method: 'GET', path: '/api/v1/namespaces/x/pods/db', level: 'None' },
    { name: 'a namespace and a verb', method: 'POST', path: '/api/v1/namespaces/shop/services', level: 'Request' },
    { name: 'another verb', method: 'GET', path: '/api/v1/namespaces/shop/services', level: 'None' },
    { name: 'a whole group', method: 'GET', path: '/apis/apps/v1/deployments', level: 'Metadata' },
    { name: 'subresources', method: 'GET', path: '/api/v1/namespaces/x/pods/db/log', level: 'Metadata' },
    { name: 'a group of users', method: 'GET', path: '/apis/x/v1/ys', groups: ['auditors'], level: 'Request' },
    { name: 'bodies of secrets never', method: 'GET', path: '/api/v1/namespaces/x/secrets/s', level: 'Metadata' },
    { name: 'nor tokens', method: 'POST', path: '/api/v1/namespaces/x/serviceaccounts/s/token', level: 'Metadata' },
    { name: 'a path', method: 'GET', path: '/apis', level: 'Metadata' },
    { name: 'another path', method: 'GET', path: '/metrics', level: 'None' },
  ])('$name: $level', ({ method, path, level, user = 'jane', groups = [] }) => {
    expect(decide(policy, targetOf(method, path), { ...jane, user, groups }).level).toBe(level);
  });

  test('a secret in a namespace that is written down is not written down either', () => {
    const { level } = decide(policy, targetOf('POST', '/api/v1/namespaces/shop/secrets'), jane);
    expect(level).toBe('Metadata');
  });

  test('stages that it leaves out add up', () => {
    const { omit } = decide(policy, targetOf('GET', '/api/v1/namespaces/x/pods/web'), jane);
    expect(omit).toEqual(['RequestReceived', 'ResponseStarted']);
  });

  test('that is wrong is refused, saying where', () => {
    const text = 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n  - level: Everything\n    verb: [get]\n';
    expect(() => readAuditPolicy(text, 'policy.yaml')).toThrow(/policy\.yaml:4:\d+ rules\[0\]\.level/);
  });
});

describe('the log', () => {
  const clock = new VirtualClock();
  const exchange = (method: string, path: string, identity = jane) => {
    const request = {
      method,
      url: path,
      headers: { 'user-agent': 'kubectl/v1.32' },
      socket: { remoteAddress: '10.0.0.9' },
    };
    const parts = { id: 'id-1', request, response: { statusCode: 201 }, query: new URLSearchParams(), identity };
    const target = targetOf(method, path);
    return { ...parts, target, signal: new AbortController().signal } as unknown as Exchange; // what the filter looks at
  };
  async function logged(
    policy: AuditPolicy,
    of: Exchange,
    handle: () => Promise<void>,
  ): Promise<Record<string, unknown>[]> {
    const lines: string[] = [];
    const filter = auditFilter({ policy, write: (line) => void lines.push(line), clock });
    await filter(of, handle).catch(() => undefined);
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  test('says who did what, and what came of it', async () => {
    const [event, ...more] = await logged(
      usualPolicy,
      exchange('POST', '/api/v1/namespaces/shop/pods'),
      async () => {},
    );
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: 'Metadata',
      stage: 'ResponseComplete',
      verb: 'create',
      user: { username: 'jane', groups: ['devs', 'system:authenticated'] },
      sourceIPs: ['10.0.0.9'],
      objectRef: { resource: 'pods', namespace: 'shop', apiVersion: 'v1' },
      responseStatus: { code: 201 },
    });
  });

  test('says what was refused', async () => {
    const refuse = () => Promise.reject(new ApiError('Forbidden', 'no'));
    const [event] = await logged(usualPolicy, exchange('GET', '/api/v1/pods'), refuse);
    expect(event).toMatchObject({
      responseStatus: { status: 'Failure', reason: 'Forbidden', code: 403 },
      annotations: { 'authorization.k8s.io/decision': 'forbid' },
    });
  });

  test('says who asks in whose name', async () => {
    const [event] = await logged(
      usualPolicy,
      exchange('GET', '/api', { ...jane, by: { ...jane, user: 'root' } }),
      async () => {},
    );
    expect(event).toMatchObject({ user: { username: 'root' }, impersonatedUser: { username: 'jane' } });
  });

  test('holds bodies where the policy wants them, and never those of secrets', async () => {
    const policy: AuditPolicy = { rules: [{ level: 'RequestResponse' }] };
    const body = Buffer.from('{"data":{"a":"c2VjcmV0"}}');
    const of = (path: string) => {
      const each = exchange('POST', path);
      const handle = async () => {
        bodySeen(each.request, body);
        bodySeen(each.response, body);
      };
      return logged(policy, each, handle);
    };
    const complete = (await of('/api/v1/namespaces/shop/pods')).at(-1);
    expect(complete).toMatchObject({ requestObject: { data: {} }, responseObject: { data: {} } });
    expect(JSON.stringify(await of('/api/v1/namespaces/shop/secrets'))).not.toContain('c2VjcmV0');
  });
});

test("the file is its owner's alone, and gives way to a new one when it is large", async () => {
  const folder = await mkdtemp(join(tmpdir(), 'audit-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'audit.log');
  const logger = createLogger({ name: 'test', level: 'silent' });
  let lost = 0;
  const limits = { maxBytes: 100, backups: 2, maxWaitingBytes: 1_000 };
  const file = new RotatingFile({ path, ...limits, logger, onLost: () => lost++ });
  await file.start();
  for (let i = 0; i < 5; i++) {
    file.write(`${i}`.repeat(60));
    await file.stop();
    await file.start();
  }
  file.write('x'.repeat(2_000));
  await file.stop();
  expect((await readdir(folder)).toSorted()).toEqual(['audit.log', 'audit.log.1', 'audit.log.2']);
  expect(await readFile(path, 'utf8')).toBe(`${'4'.repeat(60)}\n`);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(lost).toBe(1);
});
