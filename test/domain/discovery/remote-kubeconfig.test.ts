import {describe, expect, it} from 'vitest';
import {parse} from 'yaml';
import {readRemoteKubeconfig, writeRemoteKubeconfig} from '../../../src/domain/discovery/remote-kubeconfig.js';

const url = 'https://10.0.0.1:6443';
const tokenOf = (claims: object): string => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;
const withUser = (user: object): string => JSON.stringify({users: [{name: 'a', user}]});

describe('the kubeconfig of a remote secret', () => {
  it('has the fields of istioctl, and the proxy', () => {
    const address = {url, caData: 'QQ==', tlsServerName: 'api', proxyUrl: 'http://proxy:3128'};
    expect(parse(writeRemoteKubeconfig('c2', address, 'secret'))).toEqual({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'c2',
          cluster: {
            server: url,
            'certificate-authority-data': 'QQ==',
            'tls-server-name': 'api',
            'proxy-url': 'http://proxy:3128',
          },
        },
      ],
      contexts: [{name: 'c2', context: {cluster: 'c2', user: 'c2'}}],
      'current-context': 'c2',
      users: [{name: 'c2', user: {token: 'secret'}}],
    });
  });

  it('is read as it was written, without showing the token', () => {
    const claims = {sub: 'system:serviceaccount:istio-system:r', iat: 1000, exp: 2000, aud: 'api'};
    const bound = {...claims, 'kubernetes.io': {secret: {name: 's', uid: 'u'}}};
    const address = {url, caData: 'QQ=='};
    const read = readRemoteKubeconfig(writeRemoteKubeconfig('c2', address, tokenOf(bound)));
    expect(read).toMatchObject({
      address,
      claims: {
        subject: claims.sub,
        issuedAt: new Date(1_000_000),
        expiresAt: new Date(2_000_000),
        boundSecret: {name: 's', uid: 'u'},
        audiences: ['api'],
      },
      rejected: [],
    });
    expect(JSON.stringify(read)).not.toContain(tokenOf(bound));
  });

  it('has the token of each reader, whether or not a text that differs only in it was read before', () => {
    const address = {url, caData: 'QQ=='};
    for (const sub of ['one', 'two', 'one']) {
      const read = readRemoteKubeconfig(writeRemoteKubeconfig('c2', address, tokenOf({sub})));
      expect(read).toMatchObject({address, claims: {subject: sub}, rejected: []});
      expect(read?.token?.test((token) => token === tokenOf({sub}))).toBe(true);
    }
    for (const token of ['of-a-proxy', 'a.b.c', 'a.b.d']) {
      const read = readRemoteKubeconfig(writeRemoteKubeconfig('c2', address, token));
      expect(read).toMatchObject({address, rejected: []});
      expect(read?.claims).toBeUndefined();
      expect(read?.token?.test((one) => one === token)).toBe(true);
    }
  });

  it.each([
    ['a comment', 'users:\n- name: a\n  user: {username: x}\n# token: a.b.d\n'],
    ['a text', 'users:\n- name: a\n  user:\n    username: |\n      x\n      token: a.b.d\n'],
    [
      'another user',
      'current-context: a\ncontexts: [{name: a, context: {user: a}}]\nusers:\n- {name: a, user: {username: x}}\n- name: b\n  user:\n    token: a.b.d\n',
    ],
  ])('has no token from the end of %s', (_, text) => {
    const read = readRemoteKubeconfig(text);
    expect(read?.otherCredential).toBe('a user name with a password');
    expect(read?.token).toBeUndefined();
  });

  it('has the token that istiod uses, however the text before another one is written', () => {
    const user =
      'current-context: a\ncontexts: [{name: a, context: {user: a}}]\nusers:\n- {name: a, user: {token: "a\\x2eb.c"}}\n';
    const read = readRemoteKubeconfig(`${user}- name: b\n  user:\n    token: x.y.z\n`);
    expect(read?.token?.test((token) => token === 'a.b.c')).toBe(true);
  });

  it.each([
    ['a token that does not expire', {sub: 'a'}, {subject: 'a', audiences: []}],
    ['a time beyond every calendar', {sub: 'a', exp: 1e300}, undefined],
    ['a subject that is a number', {sub: 7}, undefined],
  ])('reads the claims of %s', (_, claims, expected) => {
    expect(readRemoteKubeconfig(withUser({token: tokenOf(claims)}))?.claims).toEqual(expected);
  });

  it.each([
    ['exec', {exec: {command: 'x'}}, ['exec']],
    ['a token file', {tokenFile: '/x'}, ['tokenFile']],
    [
      'files of a client certificate',
      {'client-certificate': '/c', 'client-key': '/k'},
      ['client-key', 'client-certificate'],
    ],
    ['another auth provider', {'auth-provider': {name: 'gcp'}}, ['auth-provider gcp']],
    ['oidc', {'auth-provider': {name: 'oidc'}}, []],
    ['exec that is null', {exec: null, token: 'x'}, []],
  ])('lists what istiod rejects: %s', (_, user, rejected) => {
    expect(readRemoteKubeconfig(withUser(user))?.rejected).toEqual(rejected);
  });

  it.each([
    [{'client-certificate-data': 'QQ=='}, 'a client certificate'],
    [{'auth-provider': {name: 'oidc'}}, 'auth-provider oidc'],
    [{username: 'x', password: 'y'}, 'a user name with a password'],
    [{exec: {command: 'x'}}, 'exec'],
    [{exec: null}, undefined],
    [{username: ''}, undefined],
    [{token: 'x', username: 'x'}, undefined],
  ])('reads the credential of a user without a token: %j', (user, expected) => {
    expect(readRemoteKubeconfig(withUser(user))?.otherCredential).toBe(expected);
  });

  it('names a CA file and a server that is not verified', () => {
    const cluster = {server: url, 'certificate-authority': '/ca', 'insecure-skip-tls-verify': true};
    expect(readRemoteKubeconfig(JSON.stringify({clusters: [{name: 'c', cluster}]}))).toMatchObject({
      caFile: '/ca',
      insecure: true,
    });
  });

  it.each(['', null])('may have fields that are as good as absent: %j', (nothing) => {
    const cluster = {
      server: url,
      'certificate-authority-data': nothing,
      'certificate-authority': nothing,
      'tls-server-name': nothing,
      'proxy-url': nothing,
      'insecure-skip-tls-verify': null,
    };
    const user = {
      token: nothing,
      tokenFile: nothing,
      'client-certificate': nothing,
      'client-certificate-data': nothing,
    };
    const text = JSON.stringify({clusters: [{name: 'a', cluster}], users: [{name: 'a', user}]});
    expect(readRemoteKubeconfig(text)).toEqual({address: {url}, rejected: []});
  });
});
