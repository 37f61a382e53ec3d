import {beforeAll, describe, expect, it} from 'vitest';
import {apiServerSchema} from '../../../src/domain/mesh/api-server-schema.js';
import {tinyRoot} from '../../helpers/tiny-ca.js';

const url = 'https://api.example.com:6443';
const accepts = (fields: object): boolean => apiServerSchema.safeParse({url, ...fields}).success;

describe('the URL of an API server', () => {
  it.each([
    ['https://api.example.com:6443', true],
    ['https://10.0.0.5', true],
    ['https://[2001:db8::1]:6443', true],
    ['https://rancher.example.com/k8s/clusters/c-1', true],
    ['https://cluster1_control-plane:6443', true],
    ['http://api.example.com', false],
    ['https://api.example.com:port', false],
    ['https://api.example.com:6443:1', false],
    ['https://api.example.com/%zz', false],
    ['https://api.example.com/a"b', false],
    ['https://[2001:db8::1', false],
    ['https://a<b', false],
    ['https://user@api.example.com', false],
  ])('%s: %s', (text, expected) => {
    expect(accepts({url: text})).toBe(expected);
  });
});

describe('the URL of a proxy', () => {
  it.each([
    ['http://proxy.example.com:3128', true],
    ['socks5://10.0.0.7:1080/', true],
    ['https://user:p%40ss@proxy.example.com', false],
    ['http://proxy.example.com:port', false],
    ['http://user:%zz@proxy.example.com', false],
    ['http://', false],
    ['http://proxy.example.com/path', false],
    ['ftp://proxy.example.com', false],
  ])('%s: %s', (proxyUrl, expected) => {
    expect(accepts({proxyUrl})).toBe(expected);
  });
});

describe('the CA of an API server', () => {
  let pem: string;
  beforeAll(async () => {
    pem = (await tinyRoot()).certificate.pem;
  });
  const base64 = (text: string): string => Buffer.from(text).toString('base64');

  it('is one certificate, or several', () => {
    expect([accepts({caData: base64(pem)}), accepts({caData: base64(pem + pem)})]).toEqual([true, true]);
  });

  it.each([
    ['bytes that are no certificate', () => base64('-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n')],
    [
      'a certificate, and bytes that are none',
      () => base64(`${pem}-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n`),
    ],
    ['a certificate that is cut off', () => base64(pem.slice(0, -60))],
    ['a block of another type', () => base64(pem.replaceAll('CERTIFICATE', 'CERTIFICATE REQUEST'))],
    ['base64 of a wrong length', () => base64(`${pem} `).replace(/=*$/, '').slice(0, -2)],
    ['text that is not base64', () => pem],
  ])('is not %s', (_, caData) => {
    expect(accepts({caData: caData()})).toBe(false);
  });
});
