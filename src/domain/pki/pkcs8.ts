/**
 * Encrypted PKCS#8 (RFC 5958, PBES2 of RFC 8018, scrypt of RFC 7914). node:crypto can write it, but always with 2,048
 * PBKDF2 rounds, which a graphics card tries by the hundred thousand a second; so the envelope is made here.
 */
import {createCipheriv, createDecipheriv, pbkdf2, randomBytes, scrypt, type ScryptOptions} from 'node:crypto';
import {promisify} from 'node:util';
import {MeshError} from '../errors.js';
import {
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
} from './der.js';

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
const aes256 = {oid: '2.16.840.1.101.3.4.1.42', name: 'aes-256-cbc', keyLength: 32};

/** Hashes of PBKDF2 with the fewest rounds that still protect (OWASP Password Storage Cheat Sheet, 2023). */
const prfs: Readonly<Record<string, {readonly hash: string; readonly enough: number}>> = {
  '1.2.840.113549.2.7': {hash: 'sha1', enough: 1_300_000},
  '1.2.840.113549.2.9': {hash: 'sha256', enough: 600_000},
  '1.2.840.113549.2.10': {hash: 'sha384', enough: 210_000},
  '1.2.840.113549.2.11': {hash: 'sha512', enough: 210_000},
};
/** RFC 8018 A.2: hmacWithSHA1 where none is named. */
const defaultPrf = '1.2.840.113549.2.7';

/**
 * N=16384 r=8 uses 16 MiB, the most that OpenSSL and Node read back with their default memory limit of 32 MiB; five
 * passes make up for it (OWASP Password Storage Cheat Sheet lists exactly this set).
 */
const scryptCost = {cost: 16384, blockSize: 8, parallelization: 5} as const;
const saltLength = 16;

// What we are willing to compute for a file somebody handed us.
const maxScryptMemory = 1024 ** 3;
const maxParallelization = 64;
const maxRounds = 50_000_000;

/** How an encrypted key is protected. */
export interface KeyEncryption {
  readonly cipher: string;
  /** `scrypt N=16384 r=8 p=5`, `pbkdf2-sha256 2048 rounds`, …. */
  readonly kdf: string;
  /** Guessing a passphrase is cheap: fewer rounds or less memory than OWASP's minimum, or an outdated cipher. */
  readonly weak: boolean;
}

interface Envelope {
  readonly facts: KeyEncryption;
  readonly ciphertext: Buffer;
  readonly iv: Buffer;
  readonly derive: (passphrase: string) => Promise<Buffer>;
}

const scryptAsync = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);
const pbkdf2Async = promisify(pbkdf2);

/** Encrypts a PrivateKeyInfo (PKCS#8 DER). Off the main thread; takes about a third of a second. */
export async function encryptPkcs8(key: Buffer, passphrase: string): Promise<Buffer> {
  const salt = randomBytes(saltLength);
  const iv = randomBytes(16);
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

/** How this EncryptedPrivateKeyInfo is protected. Throws `NOT_A_KEY`, `UNSUPPORTED_KEY`. */
export function readEncryption(envelope: Buffer, what: string): KeyEncryption {
  return readEnvelope(envelope, what).facts;
}

/**
 * Decrypts to PrivateKeyInfo DER. Throws `WRONG_PASSPHRASE`, `NOT_A_KEY` for broken data, and `UNSUPPORTED_KEY` for a
 * scheme that is not PBES2, asks for absurd work, or cannot be computed here.
 */
export async function decryptPkcs8(envelope: Buffer, passphrase: string, what: string): Promise<Buffer> {
  const {facts, ciphertext, iv, derive} = readEnvelope(envelope, what);
  const secret = await derive(passphrase).catch((cause: unknown) => {
    throw new MeshError('UNSUPPORTED_KEY', `${what}: ${facts.kdf} cannot be computed here: ${reason(cause)}`, {cause});
  });
  const key = decrypt(facts.cipher, secret, iv, ciphertext, what);
  try {
    // One wrong passphrase in 256 leaves valid padding: only a key that reads as one proves the passphrase.
    readDer(key, 'WRONG_PASSPHRASE', what, (value) => readSequence(value, 'key'));
  } catch (thrown) {
    throw wrongPassphrase(what, thrown);
  }
  return key;
}

/** Only OpenSSL's "bad decrypt" (the padding, RFC 8018 6.2.2) speaks against the passphrase, the rest against the file. */
function decrypt(cipher: string, secret: Buffer, iv: Buffer, ciphertext: Buffer, what: string): Buffer {
  try {
    const decipher = createDecipheriv(cipher, secret, iv);
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && String(thrown.code).endsWith('BAD_DECRYPT')) {
      throw wrongPassphrase(what, thrown);
    }
    throw new MeshError('NOT_A_KEY', `${what}: the encrypted data is broken: ${reason(thrown)}`, {cause: thrown});
  }
}

function reason(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The error for a passphrase that does not open `what`: it says where the passphrase may have come from. */
export function wrongPassphrase(what: string, cause: unknown): MeshError {
  return new MeshError('WRONG_PASSPHRASE', `wrong passphrase for ${what}`, {
    hints: [
      'it came from --passphrase-file, --passphrase-command, the variable KUBECTL_MESH_PASSPHRASE, or the prompt',
    ],
    cause,
  });
}

function readEnvelope(bytes: Buffer, what: string): Envelope {
  return readDer(bytes, 'NOT_A_KEY', what, (value) => {
    const [algorithm, data] = readSequence(value, 'encrypted key');
    const [scheme, parameters] = readSequence(algorithm, 'encryption algorithm');
    const schemeId = readOid(scheme, 'encryption scheme');
    if (schemeId !== oids.pbes2) {
      throw new MeshError(
        'UNSUPPORTED_KEY',
        `${what}: the encryption scheme ${schemeId} is outdated and not supported`,
        {
          hints: [`openssl pkey -in ${what} -aes256 -out NEW-KEY.pem writes it in a form that is read here`],
        },
      );
    }
    const [kdf, encryption] = readSequence(parameters, 'PBES2 parameters');
    const [cipherId, iv] = readSequence(encryption, 'cipher');
    const id = readOid(cipherId, 'cipher');
    const cipher = ciphers[id];
    if (!cipher) throw new MeshError('UNSUPPORTED_KEY', `${what}: cipher ${id} is not supported`);
    const derivation = readDerivation(kdf, cipher.keyLength, what);
    return {
      facts: {
        cipher: cipher.name,
        kdf: derivation.text,
        weak: derivation.weak || cipher.name.startsWith('des'),
      },
      ciphertext: readOctetString(data, 'encrypted data'),
      iv: readOctetString(iv, 'initialization vector'),
      derive: derivation.derive,
    };
  });
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
  // RFC 7914 2 and 6; OpenSSL's own refusal stays in its error queue, and the next key read would fail with it.
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
    throw new MeshError('UNSUPPORTED_KEY', `${what}: scrypt parameters are not valid or ask for absurd work`);
  }
  const enough = scryptCost.cost * scryptCost.blockSize * scryptCost.parallelization;
  return {
    text: `scrypt N=${String(cost)} r=${String(blockSize)} p=${String(parallelization)}`,
    weak: cost * blockSize * parallelization < enough,
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
    weak: rounds < prf.enough,
    derive: (passphrase) => pbkdf2Async(passphrase, salt, rounds, keyLength, prf.hash),
  };
}
