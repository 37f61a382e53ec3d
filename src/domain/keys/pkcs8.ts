/**
 * Encrypted PKCS#8 (RFC 5958, PBES2 of RFC 8018, scrypt of RFC 7914). node:crypto can write it, but always with 2,048
 * PBKDF2 rounds: a graphics card then tries hundreds of thousands of passphrases per second. This file encodes it instead.
 */
import {defined} from '../defined.js';
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  pbkdf2,
  type PrivateKeyInput,
  scrypt,
  type ScryptOptions,
} from 'node:crypto';
import {promisify} from 'node:util';
import {MeshError} from '../errors.js';
import {advice, fixWith, words} from '../suggest/suggestion.js';
import {
  decodeDer,
  type Der,
  encodeDer,
  integer,
  isTag,
  octetString,
  oid,
  readDer,
  readOctetString,
  readOid,
  readSequence,
  readSmallInteger,
  sequence,
  tags,
} from '../asn1/der.js';

const oids = {
  pbes2: '1.2.840.113549.1.5.13',
  pbkdf2: '1.2.840.113549.1.5.12',
  scrypt: '1.3.6.1.4.1.11591.4.11',
} as const;

/** Block ciphers of PBES2 with their key lengths in bytes; all in CBC mode. */
const ciphers: Readonly<Record<string, {readonly name: string; readonly keyLength: number}>> = {
  '2.16.840.1.101.3.4.1.2': {name: 'aes-128-cbc', keyLength: 16},
  '2.16.840.1.101.3.4.1.22': {name: 'aes-192-cbc', keyLength: 24},
  '2.16.840.1.101.3.4.1.42': {name: 'aes-256-cbc', keyLength: 32},
  '1.2.840.113549.3.7': {name: 'des-ede3-cbc', keyLength: 24},
};
/** The cipher for encrypting keys. */
const aes256 = {oid: '2.16.840.1.101.3.4.1.42', name: 'aes-256-cbc', keyLength: 32};

/** Hashes of PBKDF2 with their minimum number of rounds (OWASP Password Storage Cheat Sheet, 2023). */
const prfs: Readonly<Record<string, {readonly hash: string; readonly minRounds: number}>> = {
  '1.2.840.113549.2.7': {hash: 'sha1', minRounds: 1_300_000},
  '1.2.840.113549.2.9': {hash: 'sha256', minRounds: 600_000},
  '1.2.840.113549.2.10': {hash: 'sha384', minRounds: 210_000},
  '1.2.840.113549.2.11': {hash: 'sha512', minRounds: 210_000},
};
/** RFC 8018 A.2: the default is hmacWithSHA1. */
const defaultPrf = '1.2.840.113549.2.7';

/**
 * N=16384 r=8 uses 16 MiB, the most that OpenSSL and Node can read with their default memory limit of 32 MiB; five passes
 * compensate for it (the OWASP Password Storage Cheat Sheet lists exactly these parameters).
 */
const scryptCost = {cost: 16384, blockSize: 8, parallelization: 5} as const;
const saltLength = 16;
/** N times r of OWASP's smallest parameters (N=2^13 r=8 p=10): more passes do not compensate for less memory. */
const minScryptMemory = 8192 * 8;

// Limits on the work for opening a foreign file.
const maxScryptMemory = 1024 ** 3;
const maxParallelization = 64;
const maxRounds = 50_000_000;

/** How an encrypted key is protected. */
export interface KeyEncryption {
  readonly cipher: string;
  /** `scrypt N=16384 r=8 p=5`, `pbkdf2-sha256 2048 rounds`, …. */
  readonly kdf: string;
  /** Whether guessing a passphrase is cheap: fewer rounds or less memory than OWASP's minimum, or an outdated cipher. */
  readonly weak: boolean;
}

interface Envelope {
  readonly encryption: KeyEncryption;
  /** Decrypts the PrivateKeyInfo; with a wrong passphrase, the result can be garbage. */
  readonly open: (passphrase: string) => Promise<Buffer>;
}

/**
 * The schemes older than PBES2 (RFC 8018 A.3, RFC 7292 C). All of them run MD5 or SHA-1 a few thousand times and encrypt
 * with DES, triple DES or RC2; without its legacy provider, OpenSSL 3 supports only triple DES.
 */
const legacySchemes: Readonly<Record<string, Pick<KeyEncryption, 'cipher' | 'kdf'>>> = {
  '1.2.840.113549.1.5.1': {cipher: 'des-cbc', kdf: 'pbkdf1-md2'},
  '1.2.840.113549.1.5.3': {cipher: 'des-cbc', kdf: 'pbkdf1-md5'},
  '1.2.840.113549.1.5.4': {cipher: 'rc2-cbc', kdf: 'pbkdf1-md2'},
  '1.2.840.113549.1.5.6': {cipher: 'rc2-cbc', kdf: 'pbkdf1-md5'},
  '1.2.840.113549.1.5.10': {cipher: 'des-cbc', kdf: 'pbkdf1-sha1'},
  '1.2.840.113549.1.5.11': {cipher: 'rc2-cbc', kdf: 'pbkdf1-sha1'},
  '1.2.840.113549.1.12.1.1': {cipher: 'rc4', kdf: 'pkcs12-sha1'},
  '1.2.840.113549.1.12.1.2': {cipher: 'rc4', kdf: 'pkcs12-sha1'},
  '1.2.840.113549.1.12.1.3': {cipher: 'des-ede3-cbc', kdf: 'pkcs12-sha1'},
  '1.2.840.113549.1.12.1.4': {cipher: 'des-ede-cbc', kdf: 'pkcs12-sha1'},
  '1.2.840.113549.1.12.1.5': {cipher: 'rc2-cbc', kdf: 'pkcs12-sha1'},
  '1.2.840.113549.1.12.1.6': {cipher: 'rc2-cbc', kdf: 'pkcs12-sha1'},
};

const scryptAsync = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);
const pbkdf2Async = promisify(pbkdf2);

/** The number of random bytes for encrypting a key: scrypt's salt and the initialization vector of AES. */
export const encryptionRandomBytes = saltLength + 16;

/**
 * Encrypts a PrivateKeyInfo (PKCS#8 DER) with {@link encryptionRandomBytes} random bytes. Runs off the main thread and
 * takes about a third of a second.
 */
export async function encryptPkcs8(key: Buffer, passphrase: string, random: Buffer): Promise<Buffer> {
  const salt = random.subarray(0, saltLength);
  const iv = random.subarray(saltLength);
  const {cost, blockSize, parallelization} = scryptCost;
  const secret = await scryptAsync(passphrase, salt, aes256.keyLength, scryptCost);
  const cipher = createCipheriv(aes256.name, secret, iv);
  const ciphertext = Buffer.concat([cipher.update(key), cipher.final()]);
  const kdf = sequence(
    oid(oids.scrypt),
    sequence(octetString(salt), integer(cost), integer(blockSize), integer(parallelization)),
  );
  const scheme = sequence(oid(aes256.oid), octetString(iv));
  return encodeDer(sequence(sequence(oid(oids.pbes2), sequence(kdf, scheme)), octetString(ciphertext)));
}

/** The protection of an EncryptedPrivateKeyInfo. Throws `NOT_A_KEY`, `UNSUPPORTED_KEY`. */
export function readEncryption(envelope: Buffer, what: string): KeyEncryption {
  return readEnvelope(envelope, what).encryption;
}

/**
 * Decrypts to PrivateKeyInfo DER. Throws `WRONG_PASSPHRASE`, `NOT_A_KEY` for corrupt data, and `UNSUPPORTED_KEY` for a
 * scheme that is unknown, requires excessive work, or cannot be computed on this machine.
 */
export async function decryptPkcs8(envelope: Buffer, passphrase: string, what: string): Promise<Buffer> {
  const key = await readEnvelope(envelope, what).open(passphrase);
  try {
    // One in 256 wrong passphrases leaves valid padding: the passphrase is right only if the result parses as a key.
    readSequence(decodeDer(key), 'key');
  } catch (thrown) {
    throw wrongPassphrase(what, thrown);
  }
  return key;
}

/**
 * Decrypts the ciphertext. Only OpenSSL's "bad decrypt" (the padding, RFC 8018 6.2.2) indicates a wrong passphrase; other
 * errors are about the file or the cipher. Throws `WRONG_PASSPHRASE`, `NOT_A_KEY`, `UNSUPPORTED_KEY`.
 */
function decryptBlocks(cipher: string, secret: Buffer, iv: Buffer, ciphertext: Buffer, what: string): Buffer {
  try {
    const decipher = createDecipheriv(cipher, secret, iv);
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  } catch (thrown) {
    const code = codeOf(thrown);
    if (code.endsWith('BAD_DECRYPT')) throw wrongPassphrase(what, thrown);
    if (code === unsupportedByOpenssl) throw unsupportedCipher(cipher, what, thrown);
    throw new MeshError('NOT_A_KEY', `${what}: the encrypted data is corrupt: ${reason(thrown)}`, {cause: thrown});
  }
}

/**
 * Decrypts a key with a scheme older than PBES2, to PKCS#8. Throws `UNSUPPORTED_KEY` for a cipher that OpenSSL 3 has moved
 * to its legacy provider, otherwise `WRONG_PASSPHRASE`: data that decrypts to something other than a key also indicates a
 * wrong passphrase (OpenSSL then reports `ERR_OSSL_UNSUPPORTED` or a decoder error).
 */
export function openWithOpenssl(input: PrivateKeyInput, cipher: string, what: string): Buffer {
  try {
    return createPrivateKey(input).export({type: 'pkcs8', format: 'der'});
  } catch (thrown) {
    if (codeOf(thrown) === unsupportedByOpenssl) throw unsupportedCipher(cipher, what, thrown);
    throw wrongPassphrase(what, thrown);
  }
}

/** OpenSSL 3's error for ciphers and hashes that are only in its legacy provider (openssl.org: OSSL_PROVIDER-legacy). */
const unsupportedByOpenssl = 'ERR_OSSL_EVP_UNSUPPORTED';

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
}

/** The error for a key that only a tool with outdated ciphers can open. */
export function unsupportedCipher(cipher: string, what: string, cause?: unknown): MeshError {
  return new MeshError(
    'UNSUPPORTED_KEY',
    `${what} is encrypted with ${cipher}, which is outdated and not supported`,
    defined({
      hints: [
        advice`convert it to a supported format with: ${fixWith.run('openssl', words`pkey -provider legacy -provider default -in ${what} -aes256 -out NEW-KEY.pem`)}`,
      ],
      cause,
    }),
  );
}

function reason(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The error for a wrong passphrase; its hint lists the possible sources of the passphrase. */
function wrongPassphrase(what: string, cause: unknown): MeshError {
  return new MeshError('WRONG_PASSPHRASE', `wrong passphrase for ${what}`, {
    hints: [
      'check its source: --passphrase-file, --passphrase-command, the variable KUBECTL_MESH_PASSPHRASE, or the prompt',
    ],
    cause,
  });
}

function readEnvelope(bytes: Buffer, what: string): Envelope {
  return readDer(bytes, 'NOT_A_KEY', what, (value) => {
    const [algorithm, data] = readSequence(value, 'encrypted key');
    const [scheme, parameters] = readSequence(algorithm, 'encryption algorithm');
    const schemeId = readOid(scheme, 'encryption scheme');
    if (schemeId !== oids.pbes2) return readLegacyScheme(bytes, schemeId, what);
    const [kdf, encryption] = readSequence(parameters, 'PBES2 parameters');
    const [cipherId, iv] = readSequence(encryption, 'cipher');
    const id = readOid(cipherId, 'cipher');
    const cipher = ciphers[id];
    if (!cipher) throw new MeshError('UNSUPPORTED_KEY', `${what}: cipher ${id} is not supported`);
    const derivation = readDerivation(kdf, cipher.keyLength, what);
    const ciphertext = readOctetString(data, 'encrypted data');
    const vector = readOctetString(iv, 'initialization vector');
    return {
      encryption: {cipher: cipher.name, kdf: derivation.text, weak: derivation.weak || cipher.name.startsWith('des')},
      async open(passphrase) {
        const secret = await derivation.derive(passphrase).catch((cause: unknown) => {
          const message = `${what}: ${derivation.text} cannot be computed on this machine: ${reason(cause)}`;
          throw new MeshError('UNSUPPORTED_KEY', message, {cause});
        });
        return decryptBlocks(cipher.name, secret, vector, ciphertext, what);
      },
    };
  });
}

/** An EncryptedPrivateKeyInfo with a scheme older than PBES2: node:crypto opens it if OpenSSL still supports it. */
function readLegacyScheme(envelope: Buffer, schemeId: string, what: string): Envelope {
  const known = legacySchemes[schemeId];
  if (!known) throw new MeshError('UNSUPPORTED_KEY', `${what}: the encryption scheme ${schemeId} is not supported`);
  return {
    encryption: {...known, weak: true},
    open: (passphrase) => {
      const input = {key: envelope, format: 'der', type: 'pkcs8', passphrase} as const;
      return Promise.resolve(openWithOpenssl(input, known.cipher, what));
    },
  };
}

interface Derivation {
  readonly text: string;
  readonly weak: boolean;
  readonly derive: (passphrase: string) => Promise<Buffer>;
}

function readDerivation(value: Der | undefined, keyLength: number, what: string): Derivation {
  const [function_, parameters] = readSequence(value, 'key derivation');
  const id = readOid(function_, 'key derivation');
  if (id === oids.scrypt) return readScrypt(parameters, keyLength, what);
  if (id === oids.pbkdf2) return readPbkdf2(parameters, keyLength, what);
  throw new MeshError('UNSUPPORTED_KEY', `${what}: key derivation ${id} is not supported`);
}

function readScrypt(parameters: Der | undefined, keyLength: number, what: string): Derivation {
  const [saltField, n, r, p] = readSequence(parameters, 'scrypt parameters');
  const salt = readOctetString(saltField, 'salt');
  const cost = readSmallInteger(n, 'scrypt N');
  const blockSize = readSmallInteger(r, 'scrypt r');
  const parallelization = readSmallInteger(p, 'scrypt p');
  // RFC 7914 2 and 6. Checked here because OpenSSL's own error would stay in its queue and fail the next key.
  const memory = 128 * blockSize * (cost + parallelization);
  const powerOfTwo = cost > 1 && Number.isInteger(Math.log2(cost));
  if (
    !powerOfTwo ||
    Math.log2(cost) >= 16 * blockSize ||
    blockSize < 1 ||
    parallelization < 1 ||
    parallelization > maxParallelization ||
    memory > maxScryptMemory
  ) {
    throw new MeshError('UNSUPPORTED_KEY', `${what}: scrypt parameters are invalid or require excessive work`);
  }
  const minCost = scryptCost.cost * scryptCost.blockSize * scryptCost.parallelization;
  return {
    text: `scrypt N=${String(cost)} r=${String(blockSize)} p=${String(parallelization)}`,
    weak: cost * blockSize * parallelization < minCost || cost * blockSize < minScryptMemory,
    derive: (passphrase) =>
      scryptAsync(passphrase, salt, keyLength, {cost, blockSize, parallelization, maxmem: 2 * maxScryptMemory}),
  };
}

function readPbkdf2(parameters: Der | undefined, keyLength: number, what: string): Derivation {
  const [saltField, count, ...rest] = readSequence(parameters, 'PBKDF2 parameters');
  const salt = readOctetString(saltField, 'salt');
  const rounds = readSmallInteger(count, 'PBKDF2 rounds');
  // keyLength INTEGER OPTIONAL comes before prf AlgorithmIdentifier DEFAULT hmacWithSHA1.
  const prfField = rest.find((field) => isTag(field, tags.sequence));
  const prfId = prfField ? readOid(readSequence(prfField, 'PBKDF2 hash')[0], 'PBKDF2 hash') : defaultPrf;
  const prf = prfs[prfId];
  if (!prf) throw new MeshError('UNSUPPORTED_KEY', `${what}: PBKDF2 with ${prfId} is not supported`);
  if (rounds < 1 || rounds > maxRounds) {
    throw new MeshError('UNSUPPORTED_KEY', `${what}: ${String(rounds)} PBKDF2 rounds are not supported`);
  }
  return {
    text: `pbkdf2-${prf.hash} ${String(rounds)} rounds`,
    weak: rounds < prf.minRounds,
    derive: (passphrase) => pbkdf2Async(passphrase, salt, rounds, keyLength, prf.hash),
  };
}
