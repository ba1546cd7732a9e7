import type { PeerCertificate } from 'node:tls';
import { VirtualClock } from '@navarch/kit';
import { ApiError, isApiError } from '@navarch/machinery';
import { UserInfo } from '@navarch/proto';
import { describe, expect, test } from 'vitest';
import type { Identity } from '../identity.ts';
import { RequestAuthenticator } from './authenticator.ts';
import { Impersonation, wanted } from './impersonation.ts';
import { TokenReviews } from './token-reviews.ts';

const bot: Identity = { user: 'system:serviceaccount:shop:bot', groups: ['system:authenticated'], uid: 'u', extra: {} };
const certificate = (subject: object) => ({ subject }) as unknown as PeerCertificate; // what is looked at
const authenticator = new RequestAuthenticator({
  tokens: {
    review: async (token) => {
      if (token === 'good') return bot;
      throw new ApiError('Unauthorized', 'bad');
    },
  },
  impersonation: { apply: async (identity) => identity },
});
const credentials = { headers: {}, peerCertificate: undefined, peerIsTrusted: false, remoteAddress: '' };

describe('who asks', () => {
  test.each([
    { name: 'nobody known', shown: {}, user: 'system:anonymous' },
    { name: 'whose token it is', shown: { headers: { authorization: 'Bearer good' } }, user: bot.user },
    {
      name: 'who the certificate tells of',
      shown: { peerCertificate: certificate({ CN: 'jane' }), peerIsTrusted: true },
      user: 'jane',
    },
    {
      name: 'a token beside a strange certificate',
      shown: { headers: { authorization: 'bearer good' }, peerCertificate: certificate({ CN: 'root' }) },
      user: bot.user,
    },
  ])('is $name', async ({ shown, user }) => {
    expect((await authenticator.authenticate({ ...credentials, ...shown })).user).toBe(user);
  });

  test.each([
    { name: 'a bad token', shown: { headers: { authorization: 'Bearer bad' } } },
    { name: 'no token', shown: { headers: { authorization: 'Bearer ' } } },
    { name: 'another scheme', shown: { headers: { authorization: 'Basic Z29vZA==' } } },
    { name: 'a certificate of others', shown: { peerCertificate: certificate({ CN: 'jane' }) } },
    { name: 'a certificate without a name', shown: { peerCertificate: certificate({ O: 'a' }), peerIsTrusted: true } },
    {
      name: 'a certificate with two',
      shown: { peerCertificate: certificate({ CN: ['a', 'b'] }), peerIsTrusted: true },
    },
  ])('$name is refused', async ({ shown }) => {
    const refused = await authenticator.authenticate({ ...credentials, ...shown }).catch((error: unknown) => error);
    expect(isApiError(refused, 'Unauthorized')).toBe(true);
  });

  test('groups are the organizations, and all who are known have one', async () => {
    const peerCertificate = certificate({ CN: 'jane', O: ['a', 'b'] });
    const { groups } = await authenticator.authenticate({ ...credentials, peerCertificate, peerIsTrusted: true });
    expect(groups).toEqual(['a', 'b', 'system:authenticated']);
  });
});

describe('tokens', () => {
  test('are asked about once in ten seconds, and kept only when they are good', async () => {
    const clock = new VirtualClock();
    let asked = 0;
    const read = async (_method: unknown, { token }: { token: string }) => {
      asked++;
      const authenticated = token === 'good';
      const user = authenticated ? UserInfo.fromPartial({ username: 'bot' }) : undefined;
      return { authenticated, user, audiences: [], error: authenticated ? '' : 'no' };
    };
    // Of the connection's many methods this one is called.
    const reviews = new TokenReviews({ connection: { read: read as never }, clock });
    for (let i = 0; i < 3; i++) expect((await reviews.review('good')).user).toBe('bot');
    expect(asked).toBe(1);
    await clock.advance(11_000);
    await reviews.review('good');
    for (let i = 0; i < 2; i++) await expect(reviews.review('bad')).rejects.toThrow('Unauthorized');
    expect(asked).toBe(4);
  });
});

describe('in the name of another', () => {
  const headers = {
    'impersonate-user': 'system:serviceaccount:shop:web',
    'impersonate-group': 'a, b',
    'impersonate-extra-reason%2fwhy': 'test',
  };

  test('each thing has to be allowed', async () => {
    const asked: unknown[] = [];
    const impersonation = new Impersonation({ check: async (_identity, what) => void asked.push(what) });
    const identity = await impersonation.apply(bot, headers);
    expect(asked).toMatchObject([
      { resource: 'serviceaccounts', namespace: 'shop', name: 'web', verb: 'impersonate' },
      { resource: 'groups', name: 'a' },
      { resource: 'groups', name: 'b' },
      { resource: 'userextras', subresource: 'reason/why', name: 'test' },
    ]);
    expect(identity).toMatchObject({
      user: 'system:serviceaccount:shop:web',
      groups: ['a', 'b', 'system:authenticated'],
      by: bot,
    });
  });

  test('what is refused is refused', async () => {
    const impersonation = new Impersonation({ check: () => Promise.reject(new ApiError('Forbidden', 'no')) });
    await expect(impersonation.apply(bot, headers)).rejects.toThrow('no');
  });

  test('nobody has groups without being somebody', () => {
    expect(() => wanted({ 'impersonate-group': 'system:masters' })).toThrow('together with a user');
    expect(wanted({})).toBeUndefined();
  });
});
