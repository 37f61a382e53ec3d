/** Keys that OpenSSL reads and istiod refuses (Go's crypto/x509). */
import {createCipheriv, createHash, generateKeyPairSync, type KeyObject} from 'node:crypto';
import {describe, expect, it} from 'vitest';
import {
  bitString,
  childrenOf,
  decodeDer,
  type Der,
  encodeDer,
  explicit,
  integer,
  octetString,
  oid,
  sequence,
} from '../../../src/domain/asn1/der.js';
import {encodePem} from '../../../src/domain/asn1/pem.js';
import {openPrivateKey, readPrivateKey} from '../../../src/domain/keys/private-key.js';
import {Sensitive} from '../../../src/domain/sensitive.js';

const rsa = generateKeyPairSync('rsa', {modulusLength: 1024}).privateKey;
const ec = generateKeyPairSync('ec', {namedCurve: 'prime256v1'}).privateKey;
const numbers = childrenOf(decodeDer(rsa.export({type: 'pkcs1', format: 'der'})), 'key');
const p256 = oid('1.2.840.10045.3.1.7');

const read = (label: string, value: Der | Buffer) =>
  readPrivateKey(new Sensitive(encodePem(label, Buffer.isBuffer(value) ? value : encodeDer(value))), 'ca-key.pem');

/** The RSA key with one of its numbers changed: version, n, e, d, p, q, d mod p-1, d mod q-1, 1/q mod p. */
const rsaWith = (index: number, value: Der): Der => sequence(...numbers.map((one, at) => (at === index ? value : one)));
const sec1 = (secret: Buffer, ...rest: readonly Der[]): Der => sequence(integer(1), octetString(secret), ...rest);
const secret = (key: KeyObject): Buffer => Buffer.from(key.export({format: 'jwk'}).d ?? '', 'base64url');
const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');

describe('istiod refuses', () => {
  it.each<[string, string, Der | Buffer]>([
    ['PKCS#1 labelled PKCS#8', 'PRIVATE KEY', rsa.export({type: 'pkcs1', format: 'der'})],
    ['PKCS#8 labelled RSA', 'RSA PRIVATE KEY', rsa.export({type: 'pkcs8', format: 'der'})],
    ['PKCS#8 labelled EC', 'EC PRIVATE KEY', ec.export({type: 'pkcs8', format: 'der'})],
    ['SEC1 labelled PKCS#8', 'PRIVATE KEY', ec.export({type: 'sec1', format: 'der'})],
    ['another private exponent', 'RSA PRIVATE KEY', rsaWith(3, integer(Buffer.alloc(100, 3)))],
    ['another prime', 'RSA PRIVATE KEY', rsaWith(4, integer(Buffer.alloc(64, 3)))],
    ['a wrong exponent of the first prime', 'RSA PRIVATE KEY', rsaWith(6, integer(Buffer.alloc(64, 3)))],
    ['a wrong exponent of the second prime', 'RSA PRIVATE KEY', rsaWith(7, integer(Buffer.alloc(64, 3)))],
    ['a wrong coefficient', 'RSA PRIVATE KEY', rsaWith(8, integer(Buffer.alloc(64, 3)))],
    ['the EC key 0', 'EC PRIVATE KEY', sec1(Buffer.alloc(32), explicit(0, p256))],
    ['an EC key beyond the order', 'EC PRIVATE KEY', sec1(order, explicit(0, p256))],
    ['explicit curve parameters', 'EC PRIVATE KEY', sec1(secret(ec), explicit(0, sequence(integer(1))))],
    [
      'two curves',
      'PRIVATE KEY',
      sequence(
        integer(0),
        sequence(oid('1.2.840.10045.2.1'), p256),
        octetString(encodeDer(sec1(secret(ec), explicit(0, oid('1.3.132.0.34'))))),
      ),
    ],
  ])('%s', (_, label, value) => {
    const facts = read(label, value);
    expect(facts.key).toBeUndefined();
    expect(facts.refusal).toBeDefined();
  });
});

it.each<[string, readonly Der[]]>([
  ['the public half before the curve', [explicit(1, bitString(Buffer.alloc(65, 4))), explicit(0, p256)]],
  ['an empty public half', [explicit(0, p256), {tagClass: 0x80, tag: 1, children: []}]],
  ['a public half that is not a BIT STRING', [explicit(0, p256), explicit(1, octetString(Buffer.alloc(65, 4)))]],
])('a SEC1 key with %s is not a key', (_, fields) => {
  const value = sec1(secret(ec), ...fields);
  expect(() => read('EC PRIVATE KEY', value)).toThrow(expect.objectContaining({code: 'NOT_A_KEY'}) as Error);
});

it('a legacy encrypted key with the point at infinity is no key: OpenSSL reads it, and fails to write it', async () => {
  const key = encodeDer(sec1(secret(ec), explicit(0, p256), explicit(1, bitString(Buffer.from([0])))));
  const vector = Buffer.alloc(16, 7);
  const md5 = (...parts: readonly Uint8Array[]): Buffer => createHash('md5').update(Buffer.concat(parts)).digest();
  const passphrase = Buffer.from('secret');
  const cipher = createCipheriv('aes-128-cbc', md5(passphrase, vector.subarray(0, 8)), vector);
  const encrypted = Buffer.concat([cipher.update(key), cipher.final()]);
  const headers = `Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,${vector.toString('hex')}\n\n`;
  const pem = encodePem('EC PRIVATE KEY', encrypted).replace('-----\n', `-----\n${headers}`);
  const opened = openPrivateKey(new Sensitive(pem), () => Promise.resolve(new Sensitive('secret')), 'root-key.pem');
  await expect(opened).rejects.toMatchObject({code: 'WRONG_PASSPHRASE'});
});

describe('istiod reads', () => {
  it.each<[string, string, Der | Buffer, KeyObject]>([
    ['PKCS#1', 'RSA PRIVATE KEY', rsa.export({type: 'pkcs1', format: 'der'}), rsa],
    ['PKCS#8 of RSA', 'PRIVATE KEY', rsa.export({type: 'pkcs8', format: 'der'}), rsa],
    ['SEC1', 'EC PRIVATE KEY', ec.export({type: 'sec1', format: 'der'}), ec],
    ['SEC1 without the public half', 'EC PRIVATE KEY', sec1(secret(ec), explicit(0, p256)), ec],
    [
      'SEC1 with leading zeros',
      'EC PRIVATE KEY',
      sec1(Buffer.concat([Buffer.alloc(2), secret(ec)]), explicit(0, p256)),
      ec,
    ],
  ])('%s', (_, label, value, key) => {
    const facts = read(label, value);
    expect(facts.refusal).toBeUndefined();
    expect(facts.key?.equals(key)).toBe(true);
  });

  it('the public half that belongs to the key, not the one that the key contains', () => {
    const other = generateKeyPairSync('ec', {namedCurve: 'prime256v1'}).publicKey;
    const point = childrenOf(decodeDer(other.export({type: 'spki', format: 'der'})), 'key')[1]?.content?.subarray(1);
    const value = sec1(secret(ec), explicit(0, p256), explicit(1, bitString(point ?? Buffer.alloc(0))));
    expect(read('EC PRIVATE KEY', value).key?.equals(ec)).toBe(true);
  });
});
