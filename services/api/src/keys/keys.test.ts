import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type TLSSocket } from 'node:tls';
import type { Pod } from '@navarch/proto';
import { decodeJwt, SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { refusal, startApi, type TestClient, valueOf } from '../api.fixture.ts';

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { serviceAccountName: 'web', containers: [{ name: 'main', image: 'nginx' }] },
};

async function shop(client: TestClient): Promise<void> {
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  await client.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'web', namespace: 'shop' } });
}
const webToken = (client: TestClient, more: object = {}) =>
  client.requestToken({ namespace: 'shop', name: 'web', ...more });

describe('a token of a ServiceAccount', () => {
  test('says whose it is, at every replica, as long as the account is there', async () => {
    await using first = await startApi();
    await using second = await startApi({ store: first.store, hub: first.hub });
    await shop(first.client);
    const { token, expirationTimestamp } = await webToken(first.client, { expirationSeconds: 1200 });
    const left = Date.parse(expirationTimestamp) - Date.now();
    expect(left > 1_100_000 && left <= 1_200_000).toBe(true);
    const { user } = await second.client.reviewToken({ token });
    expect(user?.username).toBe('system:serviceaccount:shop:web');
    expect(user?.groups).toEqual(['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated']);
    await first.client.delete({ resource: 'serviceaccounts', namespace: 'shop', name: 'web' });
    await first.client.create({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'web', namespace: 'shop' },
    });
    const { authenticated, error } = await first.client.reviewToken({ token });
    expect({ authenticated, error }).toEqual({
      authenticated: false,
      error: 'the ServiceAccount of the token is gone',
    });
  });

  test('that is bound to a Pod ends with it', async () => {
    await using api = await startApi();
    await shop(api.client);
    const uid = valueOf<Pod>(await api.client.create(pod)).metadata?.uid;
    const bound = { boundObject: { kind: 'Pod', name: 'web' } };
    const { token } = await webToken(api.client, bound);
    const { user } = await api.client.reviewToken({ token });
    expect(user?.extra['authentication.kubernetes.io/pod-uid']).toEqual([uid]);
    await api.client.delete({ resource: 'pods', namespace: 'shop', name: 'web', gracePeriodSeconds: 0 });
    expect((await api.client.reviewToken({ token })).error).toBe('the pod that the token is bound to is gone');
    expect((await refusal(webToken(api.client, bound))).reason).toBe('NotFound');
  });

  test('counts only for whom it was made, and only when it was signed here', async () => {
    await using api = await startApi();
    await shop(api.client);
    const { token } = await webToken(api.client, { audiences: ['vault'] });
    expect((await api.client.reviewToken({ token })).error).toBe("the token's aud is not right");
    expect((await api.client.reviewToken({ token, audiences: ['vault', 'x'] })).audiences).toEqual(['vault']);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const kid = 'other';
    const forged = await new SignJWT(decodeJwt(token)).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey);
    expect((await api.client.reviewToken({ token: forged })).authenticated).toBe(false);
    const tampered = `${token.slice(0, -6)}AAAAAA`;
    expect((await api.client.reviewToken({ token: tampered, audiences: ['vault'] })).authenticated).toBe(false);
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token.split('.')[1]}.`;
    expect((await api.client.reviewToken({ token: none, audiences: ['vault'] })).authenticated).toBe(false);
    expect((await api.client.reviewToken({ token: 'nonsense' })).error).not.toContain('nonsense');
  });

  test('is only for those who may make one', async () => {
    await using api = await startApi();
    await shop(api.client);
    const refused = await refusal(webToken(api.client.as('jane')));
    expect(refused.message).toBe(
      'serviceaccounts "web" is forbidden: User "jane" cannot create resource "serviceaccounts/token" in API group "" in the namespace "shop"',
    );
    expect((await refusal(webToken(api.client, { expirationSeconds: 5 }))).reason).toBe('BadRequest');
  });
});

describe('certificates', () => {
  const pem = { type: 'pkcs8', format: 'pem' } as const;
  async function certificate(client: TestClient, of: Parameters<TestClient['issueCertificate']>[0]['of']) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const der = publicKey.export({ type: 'spki', format: 'der' });
    const issued = await client.issueCertificate({ publicKey: der, of, validSeconds: 3600n });
    return { cert: issued.certificate, key: privateKey.export(pem), ca: issued.authority };
  }
  /** What a server sees of a client, or why the two don't come together. */
  async function meet(server: object, client: object): Promise<{ authorized: boolean; subject: unknown }> {
    const listening = createServer({ ...server, requestCert: true, rejectUnauthorized: false });
    listening.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    const accepted = once(listening, 'secureConnection') as Promise<[TLSSocket]>;
    const { port } = listening.address() as { port: number };
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ...client });
    try {
      await once(socket, 'secureConnect');
      const [peer] = await accepted;
      return { authorized: peer.authorized, subject: { ...peer.getPeerCertificate().subject } };
    } finally {
      socket.destroy();
      listening.close();
    }
  }

  test('of users and servers are checked by what both know of the authority', async () => {
    await using api = await startApi();
    const server = await certificate(api.client, { $case: 'server', value: { names: ['localhost', '127.0.0.1'] } });
    const value = { username: 'jane', uid: '', groups: ['a', 'b'], extra: {} };
    const jane = await certificate(api.client, { $case: 'user', value });
    expect(await meet(server, jane)).toEqual({ authorized: true, subject: { O: ['a', 'b'], CN: 'jane' } });
    expect(await meet(server, { ...server })).toMatchObject({ authorized: false }); // a server's is no user's
    await using other = await startApi();
    const stranger = await certificate(other.client, { $case: 'user', value });
    expect(await meet(server, { ...stranger, ca: server.ca })).toMatchObject({ authorized: false });
    await expect(meet(server, { ...jane, ca: stranger.ca })).rejects.toThrow('certificate');
  });

  test('are for the cluster and its operator alone', async () => {
    await using api = await startApi();
    const root = api.client.as('root', 'system:masters');
    const asked = certificate(root, { $case: 'server', value: { names: ['localhost'] } });
    expect((await refusal(asked)).reason).toBe('Forbidden');
    expect((await api.client.getAuthority()).keySet).not.toContain('"d"');
  });
});
