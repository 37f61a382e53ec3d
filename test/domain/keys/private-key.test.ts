import {createPrivateKey} from 'node:crypto';
import {describe, expect, it} from 'vitest';
import {encryptKey, generateKey} from '../../../src/signers/keys.js';
import {encodeDer, integer, octetString, oid, sequence} from '../../../src/domain/asn1/der.js';
import {encodePem} from '../../../src/domain/asn1/pem.js';
import {openPrivateKey, readPrivateKey, writePrivateKey} from '../../../src/domain/keys/private-key.js';
import {Sensitive} from '../../../src/domain/sensitive.js';
import {openssl, temporaryFiles} from '../../helpers/openssl.js';
import {tinyRoot} from '../../helpers/tiny-ca.js';

const sensitive = (text: string) => new Sensitive(text);
const passphrase = 'correct horse battery staple';
const ask = () => Promise.resolve(sensitive(passphrase));
const neverAsk = () => Promise.reject(new Error('the passphrase was requested'));

const ecdsa = (curve: string) => openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', `ec_paramgen_curve:${curve}`]);
const rsa = openssl(['genrsa', '2048']);
const sec1 = (pem: string) => openssl(['ec'], pem);

describe('key formats in istiod', () => {
  const accepted: readonly (readonly [row: string, make: () => string, form: string, name: string])[] = [
    ['RSA in PKCS#8', () => rsa, 'pkcs8', 'rsa-2048'],
    ['RSA in PKCS#1', () => openssl(['rsa', '-traditional'], rsa), 'pkcs1', 'rsa-2048'],
    ['ECDSA P-224 in PKCS#8', () => ecdsa('secp224r1'), 'pkcs8', 'ecdsa-p224'],
    ['ECDSA P-256 in PKCS#8', () => ecdsa('prime256v1'), 'pkcs8', 'ecdsa-p256'],
    ['ECDSA P-384 in PKCS#8', () => ecdsa('secp384r1'), 'pkcs8', 'ecdsa-p384'],
    ['ECDSA P-521 in PKCS#8', () => ecdsa('secp521r1'), 'pkcs8', 'ecdsa-p521'],
    ['ECDSA P-256 in SEC1', () => sec1(ecdsa('prime256v1')), 'sec1', 'ecdsa-p256'],
    ['Ed25519 in PKCS#8', () => openssl(['genpkey', '-algorithm', 'ED25519']), 'pkcs8', 'ed25519'],
    ['CRLF line endings', () => rsa.replaceAll('\n', '\r\n'), 'pkcs8', 'rsa-2048'],
    ['text before the first block', () => `Bag Attributes\n    friendlyName: ca\n${rsa}`, 'pkcs8', 'rsa-2048'],
  ];
  it.each(accepted)('%s loads', (_row, make, form, name) => {
    const pem = make();
    const facts = readPrivateKey(sensitive(pem), 'ca-key.pem');
    expect(facts).toMatchObject({form, description: {name}});
    expect(facts.refusal).toBeUndefined();
    // The key is intact: OpenSSL derives the same public key.
    const publicPem = openssl(['pkey', '-pubout'], pem);
    expect(createPrivateKey(pem).asymmetricKeyType).toBe(facts.key?.asymmetricKeyType);
    expect(publicPem).toContain('PUBLIC KEY');
  });

  const refused: readonly (readonly [row: string, make: () => string, form: string, reason: RegExp])[] = [
    [
      'EC PARAMETERS before the key (openssl ecparam -genkey)',
      () => openssl(['ecparam', '-name', 'prime256v1', '-genkey']),
      'sec1',
      /EC PARAMETERS/,
    ],
    [
      'an encrypted PKCS#8 key',
      () => openssl(['pkey', '-aes256', '-passout', `pass:${passphrase}`], rsa),
      'encrypted-pkcs8',
      /encrypted/,
    ],
    [
      'a legacy RSA key with encryption headers',
      () => openssl(['rsa', '-traditional', '-aes256', '-passout', `pass:${passphrase}`], rsa),
      'encrypted-legacy',
      /encrypted/,
    ],
    ['a curve that Go does not support', () => ecdsa('secp256k1'), 'pkcs8', /secp256k1/],
    ['a PKCS#8 key labelled EC', () => rsa.replaceAll('PRIVATE KEY', 'EC PRIVATE KEY'), 'sec1', /PKCS#8/],
    [
      'RSA-PSS',
      () => openssl(['genpkey', '-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048']),
      'pkcs8',
      /PSS/,
    ],
    [
      'an OpenSSH key',
      () => '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n',
      'unsupported',
      /OPENSSH/,
    ],
  ];
  it.each(refused)('%s is refused', (_row, make, form, reason) => {
    const facts = readPrivateKey(sensitive(make()), 'ca-key.pem');
    expect(facts.form).toBe(form);
    expect(facts.refusal).toMatch(reason);
  });

  it('names a certificate in place of a key', async () => {
    const {certificate} = await tinyRoot();
    expect(() => readPrivateKey(sensitive(certificate.pem), 'ca-key.pem')).toThrow(
      expect.objectContaining({code: 'NOT_A_KEY', message: expect.stringContaining('certificate') as string}),
    );
  });

  it.each([
    ['an empty text', '', 'NOT_PEM'],
    ['plain text', 'hello\n', 'NOT_PEM'],
    ['a truncated block', rsa.slice(0, 400), 'NOT_PEM'],
    ['invalid base64', rsa.replace(/\n(.{10})/, '\n!$1'), 'NOT_PEM'],
    ['bytes that are not a key', '-----BEGIN PRIVATE KEY-----\nMAMCAQA=\n-----END PRIVATE KEY-----\n', 'NOT_A_KEY'],
  ])('%s is an error with a code', (_what, text, code) => {
    expect(() => readPrivateKey(sensitive(text), 'ca-key.pem')).toThrow(expect.objectContaining({code}));
  });
});

describe('the encrypted root key', () => {
  it('can be read by openssl with its passphrase only', async () => {
    const key = await generateKey('ecdsa-p384');
    const pem = (await encryptKey(key, sensitive(passphrase))).reveal();
    const path = temporaryFiles({'root-key.pem': pem, pass: passphrase});
    const read = openssl(['pkey', '-in', path('root-key.pem'), '-passin', `file:${path('pass')}`]);
    expect(createPrivateKey(read).equals(key)).toBe(true);
    expect(() => openssl(['pkey', '-in', path('root-key.pem'), '-passin', 'pass:wrong'])).toThrow();
  });

  it('uses scrypt N=16384 r=8 p=5 with AES-256, which is not reported as weak', async () => {
    const pem = await encryptKey(await generateKey('ecdsa-p256'), sensitive(passphrase));
    const facts = readPrivateKey(pem, 'root-key.pem');
    expect(facts.encryption).toEqual({cipher: 'aes-256-cbc', kdf: 'scrypt N=16384 r=8 p=5', weak: false});
    expect(facts.key).toBeUndefined();
  });

  it('differs every time, for the same key and passphrase', async () => {
    const key = await generateKey('ecdsa-p256');
    const [one, other] = await Promise.all([1, 2].map(() => encryptKey(key, sensitive(passphrase))));
    expect(one!.reveal()).not.toBe(other!.reveal());
  });

  it('requires a passphrase that is not empty', async () => {
    const key = await generateKey('ecdsa-p256');
    await expect(encryptKey(key, sensitive(''))).rejects.toMatchObject({code: 'PASSPHRASE_NEEDED'});
  });

  it('does not open with a wrong passphrase, even if the padding is valid', async () => {
    const pem = await encryptKey(await generateKey('ecdsa-p256'), sensitive(passphrase));
    const wrong = () => Promise.resolve(sensitive('wrong'));
    await expect(openPrivateKey(pem, wrong, 'root-key.pem')).rejects.toMatchObject({code: 'WRONG_PASSPHRASE'});
  });
});

describe('a corrupt encrypted key', () => {
  // PBES2 with scrypt and AES-256 in CBC mode.
  const envelope = ({cost = 16, blockSize = 1, parallelization = 1, iv = 16, data = 32}) =>
    sensitive(
      encodePem(
        'ENCRYPTED PRIVATE KEY',
        encodeDer(
          sequence(
            sequence(
              oid('1.2.840.113549.1.5.13'),
              sequence(
                sequence(
                  oid('1.3.6.1.4.1.11591.4.11'),
                  sequence(octetString(Buffer.alloc(16)), integer(cost), integer(blockSize), integer(parallelization)),
                ),
                sequence(oid('2.16.840.1.101.3.4.1.42'), octetString(Buffer.alloc(iv))),
              ),
            ),
            octetString(Buffer.alloc(data)),
          ),
        ),
      ),
    );
  it.each([
    ['a valid envelope with other content', {}, 'WRONG_PASSPHRASE'],
    ['an IV too short for the cipher', {iv: 8}, 'NOT_A_KEY'],
    ['data that is not a multiple of the block size', {data: 33}, 'NOT_A_KEY'],
    // RFC 7914 2: N is less than 2^(128 * r / 8).
    ['a cost that scrypt does not support', {cost: 2 ** 16}, 'UNSUPPORTED_KEY'],
    ['more memory than the limit', {blockSize: 2 ** 21, parallelization: 64}, 'UNSUPPORTED_KEY'],
  ])('%s %o is %s', async (_row, change, code) => {
    await expect(openPrivateKey(envelope(change), ask, 'root-key.pem')).rejects.toMatchObject({code});
  });
});

describe('keys that openssl encrypted', () => {
  const topk8 = (...args: string[]) => openssl(['pkcs8', '-topk8', ...args, '-passout', `pass:${passphrase}`], rsa);
  const rows: readonly (readonly [row: string, make: () => string, kdf: string, weak: boolean])[] = [
    [
      'its default',
      () => openssl(['pkey', '-aes256', '-passout', `pass:${passphrase}`], rsa),
      'pbkdf2-sha256 2048 rounds',
      true,
    ],
    ['600,000 rounds', () => topk8('-v2', 'aes-256-cbc', '-iter', '600000'), 'pbkdf2-sha256 600000 rounds', false],
    ['SHA-512', () => topk8('-v2', 'aes-128-cbc', '-v2prf', 'hmacWithSHA512'), 'pbkdf2-sha512 2048 rounds', true],
    [
      'SHA-1, which is encoded by omission',
      () => topk8('-v2', 'aes-192-cbc', '-v2prf', 'hmacWithSHA1'),
      'pbkdf2-sha1 2048 rounds',
      true,
    ],
    ['triple DES', () => topk8('-v2', 'des3'), 'pbkdf2-sha256 2048 rounds', true],
    ['scrypt', () => topk8('-scrypt'), 'scrypt N=16384 r=8 p=1', true],
    ['triple DES of PKCS#12', () => topk8('-v1', 'PBE-SHA1-3DES'), 'pkcs12-sha1', true],
    [
      'legacy headers',
      () => openssl(['rsa', '-traditional', '-aes128', '-passout', `pass:${passphrase}`], rsa),
      'md5',
      true,
    ],
  ];
  it.each(rows)('%s', async (_row, make, kdf, weak) => {
    const pem = sensitive(make());
    expect(readPrivateKey(pem, 'root-key.pem').encryption).toMatchObject({kdf, weak});
    const key = await openPrivateKey(pem, ask, 'root-key.pem');
    expect(key.equals(createPrivateKey(rsa))).toBe(true);
    const wrong = () => Promise.resolve(sensitive('wrong'));
    await expect(openPrivateKey(pem, wrong, 'root-key.pem')).rejects.toMatchObject({code: 'WRONG_PASSPHRASE'});
  });

  it.each([
    ['PBE-MD5-DES', 'des-cbc'],
    ['PBE-SHA1-RC2-40', 'rc2-cbc'],
  ])('with %s are weak, and cannot be opened', async (scheme, cipher) => {
    const pem = sensitive(topk8('-v1', scheme, '-provider', 'legacy', '-provider', 'default'));
    expect(readPrivateKey(pem, 'root-key.pem').encryption).toMatchObject({cipher, weak: true});
    await expect(openPrivateKey(pem, ask, 'root-key.pem')).rejects.toMatchObject({code: 'UNSUPPORTED_KEY'});
  });

  it('with an unknown encryption scheme are refused by its identifier', () => {
    const scheme = sequence(sequence(oid('1.2.3.4')), octetString(Buffer.alloc(16)));
    const pem = sensitive(encodePem('ENCRYPTED PRIVATE KEY', encodeDer(scheme)));
    expect(() => readPrivateKey(pem, 'root-key.pem')).toThrow(
      expect.objectContaining({code: 'UNSUPPORTED_KEY', message: expect.stringContaining('1.2.3.4') as string}),
    );
  });

  it.each(['-aes256', '-des3', '-camellia192'])(
    'with legacy headers and %s open with the right passphrase only',
    async (cipher) => {
      const pem = sensitive(openssl(['rsa', '-traditional', cipher, '-passout', `pass:${passphrase}`], rsa));
      expect((await openPrivateKey(pem, ask, 'root-key.pem')).equals(createPrivateKey(rsa))).toBe(true);
      const wrong = () => Promise.resolve(sensitive('wrong'));
      await expect(openPrivateKey(pem, wrong, 'root-key.pem')).rejects.toMatchObject({code: 'WRONG_PASSPHRASE'});
    },
  );

  it.each([
    ['legacy headers', ['rsa', '-traditional', '-aes128']],
    ['triple DES of PKCS#12', ['pkcs8', '-topk8', '-v1', 'PBE-SHA1-3DES']],
  ])('with %s report every wrong passphrase, whatever it decrypts to', async (_row, args) => {
    const pem = sensitive(openssl([...args, '-passout', `pass:${passphrase}`], rsa));
    // One in 256 leaves valid padding. OpenSSL's error for one attempt must not affect the next.
    for (let attempt = 0; attempt < 600; attempt += 1) {
      const wrong = () => Promise.resolve(sensitive(`wrong ${String(attempt)}`));
      await expect(openPrivateKey(pem, wrong, 'root-key.pem')).rejects.toMatchObject({code: 'WRONG_PASSPHRASE'});
    }
    expect((await openPrivateKey(pem, ask, 'root-key.pem')).equals(createPrivateKey(rsa))).toBe(true);
  });

  const legacy = openssl(['rsa', '-traditional', '-aes256', '-passout', `pass:${passphrase}`], rsa);
  const body = /\n\n([^-]+)/;
  it.each<[row: string, pem: string, code: string]>([
    ['an unknown cipher', legacy.replace('AES-256-CBC', 'FOO-CBC'), 'UNSUPPORTED_KEY'],
    ['a cipher that is not in CBC mode', legacy.replace('AES-256-CBC', 'AES-256-GCM'), 'UNSUPPORTED_KEY'],
    ['single DES', legacy.replace(/AES-256-CBC,\w{16}/, 'DES-CBC,'), 'UNSUPPORTED_KEY'],
    ['no initialization vector', legacy.replace(/(AES-256-CBC),\w+/, '$1'), 'NOT_A_KEY'],
    ['half an initialization vector', legacy.replace(/(AES-256-CBC,\w{16})\w+/, '$1'), 'NOT_A_KEY'],
    ['no DEK-Info', legacy.replace(/DEK-Info.*\n/, ''), 'NOT_A_KEY'],
    ['truncated data', legacy.replace(body, '\n\nAAAAAAAAAAAAAAAA\n'), 'NOT_A_KEY'],
  ])('with legacy headers and %s do not report a wrong passphrase', async (_row, pem, code) => {
    await expect(openPrivateKey(sensitive(pem), ask, 'root-key.pem')).rejects.toMatchObject({code});
  });

  it('with scrypt are weak if many passes replace memory', () => {
    const pem = sensitive(
      openssl(
        [
          ...['pkcs8', '-topk8', '-scrypt', '-scrypt_N', '2048', '-scrypt_r', '8', '-scrypt_p', '40'],
          ...['-passout', `pass:${passphrase}`],
        ],
        rsa,
      ),
    );
    expect(readPrivateKey(pem, 'root-key.pem').encryption).toMatchObject({weak: true});
  });

  it('prompt for no passphrase if they are unencrypted', async () => {
    const key = await generateKey('ecdsa-p256');
    expect((await openPrivateKey(writePrivateKey(key), neverAsk, 'root-key.pem')).equals(key)).toBe(true);
  });
});
