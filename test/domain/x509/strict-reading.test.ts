/** Each variant was read as valid by OpenSSL, and is refused by Go's crypto/x509 or BoringSSL, or not proven to be accepted. */
import {generateKeyPairSync} from 'node:crypto';
import {beforeAll, describe, expect, it} from 'vitest';
import {
  bitString,
  decodeDer,
  type Der,
  derNull,
  derTrue,
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
import {parseCertificate} from '../../../src/domain/x509/certificate.js';
import {extensionOf, type Fields, mutatedCertificate, universal} from '../../helpers/mutated-certificate.js';
import {type TinyCa, tinyClusterCa, tinyRoot} from '../../helpers/tiny-ca.js';

let root: TinyCa;
let ca: TinyCa;
beforeAll(async () => {
  root = await tinyRoot();
  ca = await tinyClusterCa(root, 'cluster1');
});

const commonName = (value: Der): Der => sequence(set(sequence(oid('2.5.4.3'), value)));
const subject =
  (tag: number, content: Uint8Array | string) =>
  (fields: Fields): void => {
    fields.subject = commonName(universal(tag, content));
  };
const withExtension =
  (id: string, value: Der, isCritical = false) =>
  (fields: Fields): void => {
    const encodedId = extensionOf(id, derNull).children?.[0]?.content;
    const others = fields.extensions.filter(
      (one) => encodedId?.equals(one.children?.[0]?.content ?? Buffer.alloc(0)) !== true,
    );
    fields.extensions = [...others, extensionOf(id, value, isCritical)];
  };
const spki =
  (algorithm: Der, bytes: Uint8Array) =>
  (fields: Fields): void => {
    fields.publicKey = sequence(algorithm, bitString(bytes));
  };
const ec = (curve: Der): Der => sequence(oid('1.2.840.10045.2.1'), curve);
const p256 = oid('1.2.840.10045.3.1.7');
const rsa = (parameters: readonly Der[] = [derNull]): Der => sequence(oid('1.2.840.113549.1.1.1'), ...parameters);
const rsaKey = (modulus: Der, exponent: Der): Buffer => encodeDer(sequence(modulus, exponent));
const validity =
  (tag: number, text: string) =>
  (fields: Fields): void => {
    fields.validity = sequence(universal(tag, text), fields.validity.children?.[1] ?? derNull);
  };
const ia5 = (tag: number, text: string): Der => implicit(tag, Buffer.from(text, 'latin1'));
const point = (key: TinyCa): Buffer => {
  const info = decodeDer(key.signer.publicKey.export({type: 'spki', format: 'der'}));
  return (info.children?.[1]?.content ?? Buffer.alloc(0)).subarray(1);
};
const odd = Buffer.from(`00${'c1'.repeat(255)}c3`, 'hex');

const refused: readonly (readonly [string, (fields: Fields) => void])[] = [
  ['a negative serial number', (fields) => (fields.serial = universal(tags.integer, Buffer.from([0x80, 1])))],
  ['"_" in PrintableString', subject(tags.printableString, 'a_b')],
  ['"@" in PrintableString', subject(tags.printableString, 'a@b')],
  ['Latin-1 in IA5String', subject(tags.ia5String, 'caf\u{e9}')],
  ['a letter in NumericString', subject(tags.numericString, '1a')],
  ['invalid UTF-8', subject(tags.utf8String, Buffer.from([0xc3, 0x28]))],
  ...['\u{fdd0}', '\u{ffff}', '\u{1fffe}'].map(
    (one) => [`the noncharacter ${one} in UTF8String`, subject(tags.utf8String, Buffer.from(one))] as const,
  ),
  ['a surrogate in BMPString', subject(tags.bmpString, Buffer.from([0xd8, 0x01, 0xdc, 0x37]))],
  ['UniversalString', subject(tags.universalString, Buffer.from([0, 0, 0, 0x61]))],
  ['version 4', (fields) => (fields.version = explicit(0, integer(3)))],
  ['version 1 with extensions', (fields) => (fields.version = undefined)],
  ['UTCTime that is not a time', validity(tags.utcTime, '261332000000Z')],
  ['explicit curve parameters', (fields) => spki(ec(sequence(integer(1))), point(ca))(fields)],
  ['secp256k1', (fields) => spki(ec(oid('1.3.132.0.10')), point(ca))(fields)],
  ['brainpoolP256r1', (fields) => spki(ec(oid('1.3.36.3.3.2.8.1.1.7')), point(ca))(fields)],
  ['the point at infinity', spki(ec(p256), Buffer.from([0]))],
  [
    'a compressed point',
    (fields) => spki(ec(p256), Buffer.concat([Buffer.from([2]), point(ca).subarray(1, 33)]))(fields),
  ],
  ['a point that is not on the curve', spki(ec(p256), Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 1)]))],
  ['an RSASSA-PSS key', spki(sequence(oid('1.2.840.113549.1.1.10')), rsaKey(integer(odd), integer(65537)))],
  ['an RSA key without NULL', spki(rsa([]), rsaKey(integer(odd), integer(65537)))],
  ['an even RSA modulus', spki(rsa(), rsaKey(integer(Buffer.concat([odd, Buffer.from([2])])), integer(65537)))],
  ['RSA exponent 1', spki(rsa(), rsaKey(integer(odd), integer(1)))],
  ['an even RSA exponent', spki(rsa(), rsaKey(integer(odd), integer(65536)))],
  ['a critical subject key identifier', withExtension('2.5.29.14', octetString(Buffer.alloc(20)), true)],
  ['a critical authority key identifier', withExtension('2.5.29.35', sequence(implicit(0, Buffer.alloc(20))), true)],
  ['critical authority information access', withExtension('1.3.6.1.5.5.7.1.1', sequence(), true)],
  ['an empty key usage', withExtension('2.5.29.15', bitString(Buffer.alloc(0)), true)],
  ['an empty extended key usage', withExtension('2.5.29.37', sequence())],
  ['a path length without a CA', withExtension('2.5.29.19', sequence(integer(0)), true)],
  [
    'a negative path length',
    withExtension('2.5.29.19', sequence(derTrue, universal(tags.integer, Buffer.from([0xff]))), true),
  ],
  ['a DNS name outside ASCII', withExtension('2.5.29.17', sequence(ia5(2, 'caf\u{e9}.example')))],
  ...['.a', 'a.', 'a..b'].map(
    (host) => [`the host ${host} in a URI`, withExtension('2.5.29.17', sequence(ia5(6, `http://${host}/`)))] as const,
  ),
  ['a URI with a space', withExtension('2.5.29.17', sequence(ia5(6, 'spiffe://a b/')))],
  ['an IP address of 5 bytes', withExtension('2.5.29.17', sequence(implicit(7, Buffer.alloc(5))))],
  ['empty name constraints', withExtension('2.5.29.30', sequence(), true)],
  [
    'an IP constraint with a broken mask',
    withExtension('2.5.29.30', sequence(explicitList(0, implicit(7, Buffer.from('0a000000ff00ff00', 'hex')))), true),
  ],
  [
    'a URI constraint with a scheme',
    withExtension('2.5.29.30', sequence(explicitList(0, ia5(6, 'spiffe://cluster.local'))), true),
  ],
  ['the same policy twice', withExtension('2.5.29.32', sequence(sequence(oid('1.2.3')), sequence(oid('1.2.3'))))],
  ['malformed certificate policies', withExtension('2.5.29.32', sequence(oid('1.2.3')))],
  ['malformed CRL distribution points', withExtension('2.5.29.31', sequence(integer(1)))],
  [
    'an object identifier that differs from basic constraints only by 2^32',
    (fields) => (fields.extensions = [...fields.extensions, largeExtension]),
  ],
  [
    'an extended key usage with a component above 2^31',
    withExtension('2.5.29.37', sequence(universal(tags.oid, Buffer.from('2a8fffffff7f', 'hex')))),
  ],
  [
    'a padded serial number in the authority key identifier',
    (fields) => {
      // node-forge would shorten it.
      const value = Buffer.from('300aa104a402300082020001', 'hex');
      const others = fields.extensions.filter((one) => !encodeDer(one).includes(Buffer.from('0603551d23', 'hex')));
      fields.extensions = [...others, sequence(oid('2.5.29.35'), octetString(value))];
    },
  ],
  [
    'an RSA modulus of 8200 bits',
    (fields) => spki(rsa(), rsaKey(integer(Buffer.alloc(1025, 0xff)), integer(65537)))(fields),
  ],
  ['an extension twice', (fields) => (fields.extensions = [...fields.extensions, ...fields.extensions.slice(-1)])],
];

const list = (tag: number, ...children: readonly Der[]): Der => ({tagClass: 0x80, tag, children});
const visible = (text: string): Der => universal(tags.visibleString, text);
const noticeWithReference = sequence(sequence(visible('Acme'), sequence(integer(1))), visible('Notice'));
/** 2.5.29.4294967315: 2^32 above basicConstraints. */
const largeExtension = sequence(
  universal(tags.oid, Buffer.from('551d9080808013', 'hex')),
  octetString(Buffer.alloc(2)),
);

const notProven: readonly (readonly [string, (fields: Fields) => void])[] = [
  ['a serial number of 40 bytes', (fields) => (fields.serial = integer(Buffer.alloc(40, 1)))],
  ['an explicit version 1', (fields) => (fields.version = explicit(0, integer(0)))],
  ['NUL in a name', subject(tags.utf8String, 'a\u{0}b')],
  ['an empty relative name', (fields) => (fields.subject = sequence(set()))],
  [
    'a relative name that is not sorted',
    (fields) => (fields.subject = sequence(set(...['b', 'a'].map((one) => sequence(oid('2.5.4.3'), utf8String(one)))))),
  ],
  ['UTCTime without seconds', validity(tags.utcTime, '2601010000Z')],
  ['UTCTime with an offset', validity(tags.utcTime, '260101000000+0100')],
  ['an unknown key algorithm', spki(sequence(oid('1.2.3.4')), Buffer.alloc(32))],
  ['an empty list of extensions', (fields) => (fields.extensions = [])],
  ['an empty subject alternative name', withExtension('2.5.29.17', sequence())],
  ['a DNS name with a label of 64 characters', withExtension('2.5.29.17', sequence(ia5(2, 'a'.repeat(64))))],
  ['a URI that is none', withExtension('2.5.29.17', sequence(ia5(6, 'http://[::1')))],
  [
    'a name constraint with a minimum',
    withExtension(
      '2.5.29.30',
      sequence({tagClass: 0x80, tag: 0, children: [sequence(ia5(2, 'example.com'), implicit(0, Buffer.from([1])))]}),
      true,
    ),
  ],
  ['inhibitAnyPolicy of 100 bytes', withExtension('2.5.29.54', integer(Buffer.alloc(100, 1)))],
  ['an empty list of policy qualifiers', withExtension('2.5.29.32', sequence(sequence(oid('1.2.3'), sequence())))],
  [
    'an authority key identifier by issuer without serial number',
    withExtension('2.5.29.35', sequence({tagClass: 0x80, tag: 1, children: [ia5(2, 'a')]})),
  ],
];

describe('a certificate', () => {
  it.each(refused)('with %s is refused', async (_, change) => {
    const der = await mutatedCertificate(ca, root, change);
    expect(() => parseCertificate(der, 'a.pem')).toThrow(expect.objectContaining({code: 'NOT_A_CERTIFICATE'}) as Error);
  });

  it.each(notProven)('with %s is not proven', async (_, change) => {
    const der = await mutatedCertificate(ca, root, change);
    expect(() => parseCertificate(der, 'a.pem')).toThrow(expect.objectContaining({code: 'NOT_PROVEN'}) as Error);
  });

  it('that is not changed is read', async () => {
    const der = await mutatedCertificate(ca, root, () => undefined);
    expect(parseCertificate(der, 'a.pem').signedBy(root.signer.publicKey)).toBe(true);
  });

  it.each<[string, (fields: Fields) => void]>([
    [
      'a policy notice with a reference, in VisibleString',
      withExtension(
        '2.5.29.32',
        sequence(sequence(oid('1.2.3'), sequence(sequence(oid('1.3.6.1.5.5.7.2.2'), noticeWithReference)))),
      ),
    ],
    [
      'a CRL distribution point with a space and the issuer of the list',
      withExtension(
        '2.5.29.31',
        sequence(sequence(list(0, list(0, ia5(6, 'http://a.example/My CA.crl'))), list(2, list(4, sequence())))),
      ),
    ],
    [
      'authority information access without a host name',
      withExtension('1.3.6.1.5.5.7.1.1', sequence(sequence(oid('1.3.6.1.5.5.7.48.2'), ia5(6, 'ca.crt')))),
    ],
  ])('with %s is read', async (_, change) => {
    const der = await mutatedCertificate(ca, root, change);
    expect(parseCertificate(der, 'a.pem').version).toBe(3);
  });

  it('with a policy of 280 bits is read', async () => {
    const policy = universal(tags.oid, Buffer.concat([Buffer.from([0x2a]), Buffer.alloc(40, 0xff), Buffer.from([1])]));
    const der = await mutatedCertificate(ca, root, withExtension('2.5.29.32', sequence(sequence(policy))));
    expect(parseCertificate(der, 'a.pem').version).toBe(3);
  });

  it.each(['secp224r1', 'prime256v1', 'secp384r1', 'secp521r1'])('with a key of %s is read', async (namedCurve) => {
    for (let round = 0; round < 5; round++) {
      const {publicKey} = generateKeyPairSync('ec', {namedCurve});
      const der = await mutatedCertificate(ca, root, (fields) => {
        fields.publicKey = decodeDer(publicKey.export({type: 'spki', format: 'der'}));
      });
      expect(parseCertificate(der, 'a.pem').publicKey.equals(publicKey)).toBe(true);
    }
  });
});

function explicitList(tag: number, name: Der): Der {
  return {tagClass: 0x80, tag, children: [sequence(name)]};
}
