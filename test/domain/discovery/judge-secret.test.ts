import {stringify} from 'yaml';
import {describe, expect, it} from 'vitest';
import {judgeRemoteSecret, type WantedSecret} from '../../../src/domain/discovery/judge-secret.js';
import {readStoredRemoteSecret} from '../../../src/domain/discovery/observation.js';
import type {TokenVerdict} from '../../../src/domain/discovery/token.js';

const now = new Date('2026-06-01T00:00:00Z');
const day = 86_400;
const at = (days: number): number => now.getTime() / 1000 + days * day;
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const account = 'system:serviceaccount:istio-system:istio-reader-service-account';
const address = {url: 'https://c2.example:6443', caData: base64('ca')};
const wanted: WantedSecret = {
  pair: {reader: {name: 'c1', role: 'primary'}, peer: {name: 'c2', istioName: 'two', role: 'primary'}},
  namespace: 'istio-system',
  api: {address, source: 'kubeconfig'},
  token: 'bound',
  state: 'not synced',
  now,
};
const synced: WantedSecret = {...wanted, state: 'synced'};

/** A JWT with these times, in days from now; it does not expire without `expires`. */
function jwt({issued = -10, expires}: {issued?: number; expires?: number} = {expires: 80}): string {
  const claims = {sub: account, iat: at(issued), ...(expires !== undefined && {exp: at(expires)})};
  return `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;
}

interface Deviation {
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  /** Without annotations. */
  readonly isPlain?: true;
  readonly key?: string;
  readonly more?: Record<string, string>;
  readonly text?: string;
  readonly cluster?: Record<string, unknown>;
  readonly user?: Record<string, unknown>;
  readonly token?: string;
}

/** A valid remote secret of istioctl, but for this. */
function secret({
  labels,
  annotations,
  isPlain,
  key = 'two',
  more = {},
  text,
  cluster = {},
  user = {},
  token,
}: Deviation) {
  const kubeconfig = stringify({
    clusters: [{name: 'two', cluster: {server: address.url, 'certificate-authority-data': address.caData, ...cluster}}],
    users: [{name: 'two', user: {token: token ?? jwt(), ...user}}],
    contexts: [{name: 'two', context: {cluster: 'two', user: 'two'}}],
    'current-context': 'two',
  });
  return readStoredRemoteSecret({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 'istio-remote-secret-two',
      labels: labels ?? {'istio/multiCluster': 'true'},
      annotations: isPlain ? {} : {'networking.istio.io/cluster': 'two', ...annotations},
    },
    data: {[key]: base64(text ?? kubeconfig), ...more},
  });
}

const accepted: TokenVerdict = {accepted: true, username: account};
const own = {'kubectl-mesh/token-issued': '2026-05-20T00:00:00Z'};

describe('a remote secret', () => {
  it.each([
    ['of istioctl', {}],
    ['with labels and annotations of others', {labels: {'istio/multiCluster': 'true', a: 'b'}, annotations: {c: 'd'}}],
    ['with a slash at the end of the address', {cluster: {server: `${address.url}/`}}],
    ['with a token that does not expire, of istioctl', {token: jwt({})}],
    ['with the default port, and a host in upper case', {cluster: {server: 'https://C2.Example:6443'}}],
    ['without an annotation, which only istioctl reads', {isPlain: true}],
    ['with another annotation', {annotations: {'networking.istio.io/cluster': 'x'}}],
    ['with a credential for another cluster', {more: {x: base64('')}}],
    ['with 31 % of the lifetime left', {token: jwt({issued: -69, expires: 31})}],
    ['of link', {annotations: own}],
  ] satisfies readonly (readonly [string, Deviation])[])('%s is valid', (_, deviation) => {
    expect(judgeRemoteSecret(secret(deviation), wanted, accepted)).toMatchObject({kind: 'valid'});
  });

  it('with the default port of HTTPS is that without', () => {
    const api = {address: {...address, url: 'https://c2.example'}, source: 'mesh.yaml'} as const;
    const found = secret({cluster: {server: 'https://c2.example:443/'}});
    expect(judgeRemoteSecret(found, {...wanted, api}, accepted).kind).toBe('valid');
  });

  it.each([
    ['server', {cluster: {server: 'https://172.18.0.2:6443'}}],
    ['server and CA', {cluster: {server: 'https://172.18.0.2:6443', 'certificate-authority-data': base64('x')}}],
    ['proxy', {cluster: {'proxy-url': 'http://p.example'}}],
    ['TLS server name', {cluster: {'tls-server-name': 'x'}}],
    ['CA, which is one of the public ones', {cluster: {'certificate-authority-data': undefined}}],
  ] satisfies readonly (readonly [string, Deviation])[])(
    'with which istiod has read the peer is valid whatever its %s, unless mesh.yaml declares the address',
    (_, deviation) => {
      const found = secret(deviation);
      const used = found.credentials[0]?.kubeconfig?.address;
      expect(judgeRemoteSecret(found, synced, accepted)).toEqual({kind: 'valid', address: used});
      expect(judgeRemoteSecret(found, {...synced, state: 'pending'}, accepted).kind).toBe('valid');
      const old = secret({...deviation, token: jwt({issued: -71, expires: 29})});
      expect(judgeRemoteSecret(old, synced, accepted)).toMatchObject({kind: 'renew', address: used});
      for (const changed of [
        judgeRemoteSecret(found, wanted, accepted),
        judgeRemoteSecret(found, {...wanted, state: 'not reported'}, accepted),
        judgeRemoteSecret(found, {...synced, api: {address, source: 'mesh.yaml'}}, accepted),
        // With a token of another cluster, that may be the one that istiod reads.
        judgeRemoteSecret(found, synced, {accepted: false}),
      ]) {
        expect([changed.kind, changed.address]).toEqual(['replace', undefined]);
      }
    },
  );

  it('with another CA for the same server is replaced: open connections outlast the previous CA', () => {
    const found = secret({cluster: {'certificate-authority-data': base64('x')}});
    expect(judgeRemoteSecret(found, synced, accepted).kind).toBe('replace');
  });

  it('with which istiod has read the peer needs no other address', () => {
    const {api, ...unknown} = synced;
    expect(api).toBeDefined();
    expect(judgeRemoteSecret(secret({}), unknown, accepted).kind).toBe('valid');
    expect(judgeRemoteSecret(secret({}), {...unknown, state: 'not synced'}, accepted).kind).toBe('replace');
  });

  it('with a token of another account keeps the address with which istiod has read the peer', () => {
    const found = secret({cluster: {server: 'https://172.18.0.2:6443'}});
    expect(judgeRemoteSecret(found, synced, {accepted: true, username: 'admin'})).toMatchObject({
      kind: 'replace',
      address: {url: 'https://172.18.0.2:6443'},
    });
  });

  it.each([
    ['no label', {labels: {}}, 'replace', 'label'],
    ['another data key', {key: 'c2'}, 'replace', 'data key'],
    ['no kubeconfig', {text: '"text"'}, 'replace', 'no kubeconfig'],
    ['a credential plugin', {user: {exec: {command: 'aws'}}}, 'replace', 'exec'],
    ['a token file', {user: {tokenFile: '/token'}}, 'replace', 'tokenFile'],
    ['no verification of the server', {cluster: {'insecure-skip-tls-verify': true}}, 'replace', 'verify'],
    ['a CA in a file', {cluster: {'certificate-authority': '/ca.crt'}}, 'replace', '/ca.crt'],
    ['another server', {cluster: {server: 'https://x.example'}}, 'replace', 'server'],
    ['another CA', {cluster: {'certificate-authority-data': base64('x')}}, 'replace', 'CA'],
    ['a proxy that is not declared', {cluster: {'proxy-url': 'http://p.example'}}, 'replace', 'proxy-url'],
    ['another TLS server name', {cluster: {'tls-server-name': 'x'}}, 'replace', 'tls-server-name'],
    ['no token', {user: {token: undefined}}, 'replace', 'token'],
    ['an expired token', {token: jwt({issued: -90, expires: -1})}, 'renew', 'expired'],
    ['29 % of the lifetime left', {token: jwt({issued: -71, expires: 29})}, 'renew', 'about to expire'],
    ['a token of link that does not expire', {token: jwt({}), annotations: own}, 'renew', 'does not expire'],
  ] satisfies readonly (readonly [string, Deviation, string, string])[])(
    'with %s is changed',
    (_, deviation, kind, reason) => {
      expect(judgeRemoteSecret(secret(deviation), wanted, accepted)).toMatchObject({
        kind,
        reason: expect.stringContaining(reason) as unknown,
      });
    },
  );

  it.each([
    ['is not accepted', {accepted: false}, 'renew', 'does not accept'],
    ['is not accepted for a reason', {accepted: false, reason: 'revoked'}, 'renew', 'revoked'],
    ['is that of another user', {accepted: true, username: 'admin'}, 'replace', 'admin'],
    ['has no user name', {accepted: true}, 'replace', 'another user'],
  ] satisfies readonly (readonly [string, TokenVerdict, string, string])[])(
    'whose token %s is changed',
    (_, review, kind, reason) => {
      expect(judgeRemoteSecret(secret({}), wanted, review)).toMatchObject({
        kind,
        reason: expect.stringContaining(reason) as unknown,
      });
    },
  );

  it('with a token that expires is changed if mesh.yaml declares tokens that do not', () => {
    expect(judgeRemoteSecret(secret({}), {...wanted, token: 'secret'}, accepted).kind).toBe('renew');
    expect(judgeRemoteSecret(secret({token: jwt({})}), {...wanted, token: 'secret'}, accepted).kind).toBe('valid');
  });

  it('that link wrote is changed if its CA lacks a certificate; that of another tool is not', () => {
    const pem = (body: string): string => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
    const ofSecret = {'certificate-authority-data': base64(pem('AAAA'))};
    const both = base64(pem('AAAA') + pem('BBBB'));
    const two: WantedSecret = {...wanted, api: {address: {...address, caData: both}, source: 'kubeconfig'}};
    expect(judgeRemoteSecret(secret({cluster: ofSecret}), two, accepted).kind).toBe('valid');
    expect(judgeRemoteSecret(secret({cluster: ofSecret, annotations: own}), two, accepted)).toEqual({
      kind: 'replace',
      reason: expect.stringContaining('lacks') as unknown,
    });
    const ofBoth = {'certificate-authority-data': both};
    const one: WantedSecret = {
      ...wanted,
      api: {address: {...address, caData: base64(pem('BBBB'))}, source: 'kubeconfig'},
    };
    expect(judgeRemoteSecret(secret({cluster: ofBoth, annotations: own}), one, accepted).kind).toBe('valid');
  });

  it('whose token was not judged is not valid', () => {
    expect(judgeRemoteSecret(secret({}), wanted, undefined).kind).toBe('replace');
  });
});
