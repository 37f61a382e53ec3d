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
  it('are accepted for every CA of the chain, in any order, with other text and CR LF', () => {
    expect(problem(crlOf(ca) + crlOf(root), ca, root)).toBeUndefined();
    expect(problem(`a note\n${crlOf(root)}${crlOf(ca)}`, ca, root)).toBeUndefined();
    expect(problem((crlOf(root) + crlOf(ca)).replaceAll('\n', '\r\n'), ca, root)).toBeUndefined();
  });

  it('can be accompanied by lists of other CAs', async () => {
    const next = await tinyClusterCa(root, 'c1');
    const text = crlOf(ca) + crlOf(root) + crlOf(next);
    expect(problem(text, ca, root)).toBeUndefined();
    expect(problem(text, next, root)).toBeUndefined();
  });

  it('are refused with the name of a CA whose list is missing', () => {
    expect(problem(crlOf(ca), ca, root)).toContain(root.certificate.subject.text);
    expect(problem(crlOf(root), ca, root)).toContain(ca.certificate.subject.text);
  });

  it('are matched by the key of the CA, not only by its name', async () => {
    const renewed = await tinyClusterCa(root, 'c1');
    expect(renewed.certificate.subject.text).toBe(ca.certificate.subject.text);
    expect(problem(crlOf(ca) + crlOf(root), renewed, root)).toContain(ca.certificate.subject.text);
  });

  it('require a CA whose key usage permits signing them', async () => {
    const unable = await tinyClusterCa(root, 'c1', {
      change: (template) => ({...template, extensions: {...template.extensions, keyUsage: ['keyCertSign']}}),
    });
    expect(problem(crlOf(unable) + crlOf(root), unable, root)).toContain('cRLSign');
  });

  it.each([
    ['not PEM', () => 'x'],
    ['only white space', () => '\n'],
    ['truncated', () => crlOf(ca).slice(0, -40)],
    ['not a list in DER', () => '-----BEGIN X509 CRL-----\nAAEC\n-----END X509 CRL-----\n'],
    ['a certificate', () => crlOf(ca) + crlOf(root) + ca.certificate.pem],
    ['a list of version 1', () => crlOf(ca, {version: 1}) + crlOf(root)],
  ])('are refused if the text is or contains: %s', (_, text) => {
    expect(problem(text(), ca, root)).toMatch(/ca-crl\.pem/);
  });

  it('are optional', () => {
    expect(problem('', ca, root)).toBeUndefined();
  });

  it.each([
    ['ECDSA over SHA-1', 'ecdsa-p256', ['-md', 'sha1']],
    ['RSA over SHA-1', 'rsa-2048', ['-md', 'sha1']],
    ['ECDSA P-384', 'ecdsa-p384', ['-md', 'sha384']],
    ['RSA', 'rsa-2048', []],
    ['RSA-PSS', 'rsa-2048', ['-md', 'sha384', '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:-1']],
  ] as const)('are accepted with a signature by %s', async (_, algorithm, words) => {
    const one = await tinyRoot({algorithm});
    const other = await tinyRoot({algorithm});
    expect(problem(crlOf(one, {arguments: words}), one)).toBeUndefined();
    expect(problem(crlOf(other, {arguments: words}), one)).toBeDefined();
  });

  it('are refused with MD5, or with a salt length other than the hash length', async () => {
    const one = await tinyRoot({algorithm: 'rsa-2048'});
    const salt = ['-md', 'sha256', '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:20'];
    for (const words of [['-md', 'md5'], salt]) expect(problem(crlOf(one, {arguments: words}), one)).toBeDefined();
  });

  it('have fingerprints that do not depend on order and line endings', () => {
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
