import {beforeAll, describe, expect, it} from 'vitest';
import {crlFingerprints, crlProblem} from '../../../src/domain/x509/crl.js';
import {encodeSignatureAlgorithm} from '../../../src/domain/x509/algorithms.js';
import {
  bitString,
  decodeDer,
  type Der,
  encodeDer,
  explicit,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  set,
  tags,
  utf8String,
} from '../../../src/domain/asn1/der.js';
import {encodePem} from '../../../src/domain/asn1/pem.js';
import {extensionOf, universal} from '../../helpers/mutated-certificate.js';
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
  )?.message;

const number = (value: Der): Der => extensionOf('2.5.29.20', value);
const reason = (value: Der): Der => extensionOf('2.5.29.21', value);
const unknown = sequence(oid('1.2.3.4'), octetString(Buffer.from('x')));
const enumerated = (value: number): Der => universal(tags.enumerated, Buffer.from([value]));
const date = universal(tags.utcTime, '260101000000Z');
const entry = (...extensions: readonly Der[]): Der =>
  sequence(integer(5), date, ...(extensions.length > 0 ? [sequence(...extensions)] : []));

/** A version 2 list with these fields. */
async function listOf(
  {certificate, signer}: TinyCa,
  fields: {
    readonly issuer?: Der;
    readonly revoked?: readonly Der[];
    readonly extensions?: readonly Der[];
    readonly label?: string;
  },
): Promise<string> {
  const {issuer = decodeDer(certificate.subject.der), revoked, extensions, label = 'X509 CRL'} = fields;
  const algorithm = encodeSignatureAlgorithm(signer.algorithm);
  const signed = sequence(
    ...[integer(1), algorithm, issuer, date],
    ...(revoked ? [sequence(...revoked)] : []),
    ...(extensions ? [explicit(0, sequence(...extensions))] : []),
  );
  const signature = await signer.sign(encodeDer(signed));
  return encodePem(label, encodeDer(sequence(signed, algorithm, bitString(signature))));
}

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

  it.each<[string, Parameters<typeof listOf>[1]]>([
    ['no extensions', {}],
    ['a number, a key identifier, and an extension with any value', {extensions: [number(integer(1)), unknown]}],
    ['revoked certificates', {revoked: [entry(), entry(reason(enumerated(1)))]}],
  ])('are accepted with %s', async (_, fields) => {
    expect(problem((await listOf(ca, fields)) + crlOf(root), ca, root)).toBeUndefined();
  });

  it.each<[string, Parameters<typeof listOf>[1]]>([
    ['a number that is not an INTEGER', {extensions: [number(octetString(Buffer.alloc(1)))]}],
    ['a negative number', {extensions: [number(universal(tags.integer, Buffer.from([0x80])))]}],
    ['an authority key identifier that is not a SEQUENCE', {extensions: [extensionOf('2.5.29.35', integer(1))]}],
    [
      'the key identifier of another CA',
      {extensions: [extensionOf('2.5.29.35', sequence(implicit(0, Buffer.alloc(20))))]},
    ],
    ['another issuer', {issuer: sequence(set(sequence(oid('2.5.4.3'), utf8String('x'))))}],
    ['a reason that is not an ENUMERATED', {revoked: [entry(reason(integer(1)))]}],
    ['an unknown reason', {revoked: [entry(reason(enumerated(99)))]}],
    ['a delta', {extensions: [extensionOf('2.5.29.27', integer(1))]}],
    ['an issuing distribution point', {extensions: [extensionOf('2.5.29.28', sequence())]}],
    ['an unknown critical extension', {extensions: [extensionOf('1.2.3.4', integer(1), true)]}],
    ['an extension twice', {extensions: [unknown, unknown]}],
    ['another PEM label', {label: 'CRL'}],
  ])('are refused, or not proven, with %s', async (_, fields) => {
    expect(problem((await listOf(ca, fields)) + crlOf(root), ca, root)).toBeDefined();
  });

  it('are distinguished: refused, or not proven', async () => {
    const chain = [ca.certificate];
    const unknownExtension = {extensions: [extensionOf('1.2.3.4', integer(1), true)]};
    expect(crlProblem(await listOf(ca, unknownExtension), chain)).toMatchObject({isUnproven: true});
    expect(crlProblem(await listOf(root, {}), chain)).toMatchObject({isUnproven: false});
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
