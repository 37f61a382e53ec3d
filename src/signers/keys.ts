/** Generates, encrypts and signs with keys in memory. Randomness is here because the domain is pure. */
import {generateKeyPair, type KeyObject, randomBytes, sign} from 'node:crypto';
import {promisify} from 'node:util';
import {type KeyAlgorithm, publicHalf} from '../domain/keys/keys.js';
import {encryptionRandomBytes} from '../domain/keys/pkcs8.js';
import {writeEncryptedKey} from '../domain/keys/private-key.js';
import type {Sensitive} from '../domain/sensitive.js';
import {requireSignatureAlgorithm, signatureAlgorithms} from '../domain/x509/algorithms.js';
import type {Signer} from '../domain/x509/certificate.js';

const signAsync = promisify(sign);
const generate = promisify(generateKeyPair);
const rsa = (modulusLength: number) => () => generate('rsa', {modulusLength});
// Go supports only named curves, not explicit parameters.
const ec = (namedCurve: string) => () => generate('ec', {namedCurve, paramEncoding: 'named'});

const generators: Readonly<Record<KeyAlgorithm, () => Promise<{readonly privateKey: KeyObject}>>> = {
  'rsa-2048': rsa(2048),
  'rsa-3072': rsa(3072),
  'rsa-4096': rsa(4096),
  'ecdsa-p256': ec('P-256'),
  'ecdsa-p384': ec('P-384'),
};

/** Generates a private key on a libuv thread, so that several can be generated in parallel. */
export async function generateKey(algorithm: KeyAlgorithm): Promise<KeyObject> {
  return (await generators[algorithm]()).privateKey;
}

/** Encrypts a key as PKCS#8 PEM, the format of root-key.pem. Throws `PASSPHRASE_NEEDED` for an empty passphrase. */
export function encryptKey(key: KeyObject, passphrase: Sensitive<string>): Promise<Sensitive<string>> {
  return writeEncryptedKey(key, passphrase, randomBytes(encryptionRandomBytes));
}

/** Creates a signer with a private key in memory; it signs on a libuv thread. Throws `UNSUPPORTED_KEY`. */
export function createKeySigner(key: KeyObject): Signer {
  const algorithm = requireSignatureAlgorithm(key);
  const [hash] = signatureAlgorithms[algorithm].hashes;
  return {publicKey: publicHalf(key), algorithm, sign: async (message) => signAsync(hash, message, key)};
}
