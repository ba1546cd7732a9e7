import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import { accessParts } from '@navarch/gateway';
import { systemClock } from '@navarch/kit';
import { AccessService, UserInfo } from '@navarch/proto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Asked, GatewayInProcess } from './gateway-in-process.ts';

// Real servers, on machines that may be busy with other things.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let gateway: GatewayInProcess;
let root: Asked;
let jane: Asked;

/** A certificate of the cluster's authority. */
async function certificateOf(username: string, ...groups: string[]): Promise<Asked> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const value = UserInfo.fromPartial({ username, groups });
  const key = publicKey.export({ type: 'spki', format: 'der' });
  const request = { publicKey: key, of: { $case: 'user' as const, value }, validSeconds: 3600n };
  const { certificate } = await gateway.connection.unary(AccessService.issueCertificate, request);
  return { client: { cert: certificate, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() } };
}

beforeAll(async () => {
  gateway = await GatewayInProcess.start((connection) => accessParts({ connection, clock: systemClock }));
  root = await certificateOf('root', 'system:masters');
  jane = await certificateOf('jane', 'devs');
  const shop = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
  await gateway.ask('POST', '/api/v1/namespaces', { ...root, body: shop });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const pods = '/api/v1/namespaces/shop/pods';
const roleBindings = '/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings';
const bindingTo = (name: string, clusterRole: string, subject: object) => ({
  metadata: { name },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: clusterRole },
  subjects: [subject],
});
const review = (group: string, kind: string, spec: object) => ({ apiVersion: `${group}/v1`, kind, spec });
const asking = async (path: string, asked: Asked) => (await gateway.ask('POST', path, asked)).json.status;

async function codeOf(session: ClientHttp2Session, path: string): Promise<unknown> {
  const stream = session.request({ ':path': path });
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders]; // what the event tells first
  stream.close();
  return headers[':status'];
}

describe('without credentials', () => {
  test('only health and the version are told', async () => {
    for (const path of ['/livez', '/readyz', '/version']) expect((await gateway.ask('GET', path)).code).toBe(200);
    const { code, json } = await gateway.ask('GET', '/api');
    expect({ code, message: json.message }).toEqual({
      code: 403,
      message: 'forbidden: User "system:anonymous" cannot get path "/api"',
    });
    expect((await gateway.ask('GET', pods)).code).toBe(403);
  });

  test('what is no good is refused, not taken for nothing', async () => {
    const { code, headers } = await gateway.ask('GET', '/version', { headers: { authorization: 'Bearer nonsense' } });
    expect({ code, asks: headers['www-authenticate'] }).toEqual({ code: 401, asks: 'Bearer realm="navarch"' });
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await using other = await GatewayInProcess.start((connection) => accessParts({ connection, clock: systemClock }));
    const value = UserInfo.fromPartial({ username: 'root', groups: ['system:masters'] });
    const key = publicKey.export({ type: 'spki', format: 'der' });
    const request = { publicKey: key, of: { $case: 'user' as const, value }, validSeconds: 3600n };
    const { certificate } = await other.connection.unary(AccessService.issueCertificate, request);
    const client = { cert: certificate, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
    expect((await gateway.ask('GET', pods, { client })).code).toBe(401);
  });
});

describe('with a certificate', () => {
  test('somebody may do what roles allow, and nothing else', async () => {
    const refused = await gateway.ask('GET', pods, jane);
    expect(refused.json).toMatchObject({ kind: 'Status', status: 'Failure', reason: 'Forbidden', code: 403 });
    const body = bindingTo('jane', 'view', { kind: 'User', name: 'jane' });
    expect((await gateway.ask('POST', roleBindings, { ...root, body })).code).toBe(201);
    expect((await gateway.ask('GET', pods, jane)).code).toBe(200);
    expect((await gateway.ask('GET', '/api/v1/namespaces/shop/secrets', jane)).code).toBe(403);
    expect((await gateway.ask('POST', roleBindings, { ...jane, body })).code).toBe(403);
    expect((await gateway.ask('GET', `${pods}?watch=1&timeoutSeconds=1`, jane)).code).toBe(200);
    expect((await gateway.ask('GET', '/api/v1/pods?watch=1&timeoutSeconds=1', jane)).code).toBe(403);
  });

  test('each request of a connection of HTTP/2 is made by who showed it, beside other connections', async () => {
    const url = `https://127.0.0.1:${gateway.port}`;
    const sessions = [jane, root, {}].map(({ client }: Asked) => connect(url, { ca: gateway.authority, ...client }));
    const codes = async (path: string) => await Promise.all(sessions.map((session) => codeOf(session, path)));
    for (let i = 0; i < 3; i++) expect(await codes('/api/v1/namespaces/shop/secrets')).toEqual([403, 200, 403]);
    // Everybody who is known may look at what there is.
    for (let i = 0; i < 3; i++) expect(await codes('/api')).toEqual([200, 200, 403]);
    for (const session of sessions) session.destroy();
  });

  test('one asks who one is, and what one may', async () => {
    const [who, can] = ['authentication.k8s.io', 'authorization.k8s.io'];
    const body = review(who, 'SelfSubjectReview', {});
    const { userInfo } = await asking(`/apis/${who}/v1/selfsubjectreviews`, { ...jane, body });
    expect(userInfo).toEqual({ username: 'jane', groups: ['devs', 'system:authenticated'] });
    const may = (verb: string, namespace: string) =>
      asking(`/apis/${can}/v1/selfsubjectaccessreviews`, {
        ...jane,
        body: review(can, 'SelfSubjectAccessReview', { resourceAttributes: { verb, resource: 'pods', namespace } }),
      });
    expect(await may('list', 'shop')).toMatchObject({ allowed: true });
    expect(await may('delete', 'shop')).toMatchObject({ allowed: false });
    const others = review(can, 'SubjectAccessReview', {
      user: 'x',
      resourceAttributes: { verb: 'get', resource: 'pods' },
    });
    expect((await gateway.ask('POST', `/apis/${can}/v1/subjectaccessreviews`, { ...jane, body: others })).code).toBe(
      403,
    );
    expect(await asking(`/apis/${can}/v1/subjectaccessreviews`, { ...root, body: others })).toEqual({ allowed: false });
    const rules = review(can, 'SelfSubjectRulesReview', { namespace: 'shop' });
    const { resourceRules } = await asking(`/apis/${can}/v1/selfsubjectrulesreviews`, { ...jane, body: rules });
    expect(resourceRules.some(({ resources }: { resources: string[] }) => resources.includes('pods/log'))).toBe(true);
  });

  test('who may speak for others is held to what these may', async () => {
    const headers = { 'impersonate-user': 'nobody' };
    expect((await gateway.ask('GET', pods, { ...root, headers })).json.message).toContain('User "nobody" cannot list');
    expect((await gateway.ask('GET', pods, { ...jane, headers })).json.message).toContain('"jane" cannot impersonate');
  });
});

describe('with a token of a ServiceAccount', () => {
  const accounts = '/api/v1/namespaces/shop/serviceaccounts';
  const token = async (asked: Asked) =>
    await gateway.ask('POST', `${accounts}/bot/token`, {
      ...asked,
      body: review('authentication.k8s.io', 'TokenRequest', { expirationSeconds: 600 }),
    });

  test('a program is its account', async () => {
    await gateway.ask('POST', accounts, { ...root, body: { metadata: { name: 'bot' } } });
    expect((await token(jane)).code).toBe(403);
    const issued = await token(root);
    expect(issued.code).toBe(201);
    const headers = { authorization: `Bearer ${issued.json.status.token}` };
    expect((await gateway.ask('GET', pods, { headers })).json.message).toContain('system:serviceaccount:shop:bot');
    const body = bindingTo('bot', 'view', { kind: 'ServiceAccount', name: 'bot' });
    await gateway.ask('POST', roleBindings, { ...root, body });
    expect((await gateway.ask('GET', pods, { headers })).code).toBe(200);
    const spec = { token: issued.json.status.token };
    const tokenReviews = '/apis/authentication.k8s.io/v1/tokenreviews';
    const asked = await gateway.ask('POST', tokenReviews, {
      ...root,
      body: review('authentication.k8s.io', 'TokenReview', spec),
    });
    expect(asked.json.status).toMatchObject({
      authenticated: true,
      user: { username: 'system:serviceaccount:shop:bot' },
    });
    expect(asked.body).not.toContain(spec.token);
    const keys = await gateway.ask('GET', '/openid/v1/jwks', { headers });
    expect(JSON.parse(keys.body).keys).toHaveLength(1);
  });
});
