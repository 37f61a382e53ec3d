import {beforeAll, describe, expect, it} from 'vitest';
import {crlFingerprints, crlProblem} from '../../../src/domain/x509/crl.js';
import {crlOf} from '../../helpers/crl.js';
import {openssl, temporaryFiles} from '../../helpers/openssl.js';
import {tinyClusterCa, tinyRoot, type TinyCa} from '../../helpers/tiny-ca.js';

let root: TinyCa;
let ca: TinyCa;

beforeAll(async () => {
  root = await tinyRoot();
  ca = await tinyClusterCa(root, 'c1');
});

const problem = (text: string, ...chain: readonly TinyCa[]): string | undefined =>
  crlProblem(
    text,
    chain.map(({certificate}) => certificate),
  );

describe('revocation lists', () => {
  it('of every CA of the chain are taken, in any order, with lists of others and text around them', () => {
    expect(problem(crlOf(ca) + crlOf(root), ca, root)).toBeUndefined();
    expect(problem(`a note\n${crlOf(root)}${crlOf(ca)}`, ca, root)).toBeUndefined();
    expect(problem((crlOf(root) + crlOf(ca)).replaceAll('\n', '\r\n'), ca, root)).toBeUndefined();
  });

  it('may stand beside lists of other CAs', async () => {
    const next = await tinyClusterCa(root, 'c1');
    const text = crlOf(ca) + crlOf(root) + crlOf(next);
    expect(problem(text, ca, root)).toBeUndefined();
    expect(problem(text, next, root)).toBeUndefined();
  });

  it('that lack a CA of the chain are named by that CA', () => {
    expect(problem(crlOf(ca), ca, root)).toContain(root.certificate.subject.text);
    expect(problem(crlOf(root), ca, root)).toContain(ca.certificate.subject.text);
  });

  it('of a CA of the same name and another key do not count', async () => {
    const renewed = await tinyClusterCa(root, 'c1');
    expect(renewed.certificate.subject.text).toBe(ca.certificate.subject.text);
    expect(problem(crlOf(ca) + crlOf(root), renewed, root)).toContain(ca.certificate.subject.text);
  });

  it('need a CA that may sign them', async () => {
    const mute = await tinyClusterCa(root, 'c1', {
      change: (template) => ({...template, extensions: {...template.extensions, keyUsage: ['keyCertSign']}}),
    });
    expect(problem(crlOf(mute) + crlOf(root), mute, root)).toContain('cRLSign');
  });

  it.each([
    ['text that is no PEM', () => 'x'],
    ['white space', () => '\n'],
    ['a block that is cut off', () => crlOf(ca).slice(0, -40)],
    ['DER that is none', () => '-----BEGIN X509 CRL-----\nAAEC\n-----END X509 CRL-----\n'],
    ['a certificate', () => crlOf(ca) + crlOf(root) + ca.certificate.pem],
    ['a list of version 1', () => crlOf(ca, {version: 1}) + crlOf(root)],
  ])('that are %s are a problem', (_, text) => {
    expect(problem(text(), ca, root)).toMatch(/ca-crl\.pem/);
  });

  it('are no problem where there are none', () => {
    expect(problem('', ca, root)).toBeUndefined();
  });

  it.each([
    ['ECDSA over SHA-1', 'ecdsa-p256', ['-md', 'sha1']],
    ['RSA over SHA-1', 'rsa-2048', ['-md', 'sha1']],
    ['ECDSA P-384', 'ecdsa-p384', ['-md', 'sha384']],
    ['RSA', 'rsa-2048', []],
    ['RSA-PSS', 'rsa-2048', ['-md', 'sha384', '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:-1']],
  ] as const)('are read where they are signed with %s', async (_, algorithm, words) => {
    const one = await tinyRoot({algorithm});
    const other = await tinyRoot({algorithm});
    expect(problem(crlOf(one, {arguments: words}), one)).toBeUndefined();
    expect(problem(crlOf(other, {arguments: words}), one)).toBeDefined();
  });

  it('are not taken over MD5, nor with a salt that is not as long as the hash', async () => {
    const one = await tinyRoot({algorithm: 'rsa-2048'});
    const salt = ['-md', 'sha256', '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:20'];
    for (const words of [['-md', 'md5'], salt]) expect(problem(crlOf(one, {arguments: words}), one)).toBeDefined();
  });

  it('are the same in another order and in other line ends, and others where others are listed', () => {
    const [one, two] = [crlOf(ca), crlOf(root)];
    expect(crlFingerprints(one + two)).toEqual(crlFingerprints((two + one).replaceAll('\n', '\r\n')));
    expect(crlFingerprints(one)).not.toEqual(crlFingerprints(two));
    const path = temporaryFiles({'crl.pem': one});
    const print = openssl(['crl', '-in', path('crl.pem'), '-noout', '-fingerprint', '-sha256']);
    expect(crlFingerprints(one).map((hex) => hex.toUpperCase())).toEqual([
      print.split('=')[1]?.trim().replaceAll(':', ''),
    ]);
    expect(crlFingerprints('')).toEqual([]);
    expect(crlFingerprints('x')).toHaveLength(1);
  });
});
