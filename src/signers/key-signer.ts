import {type KeyObject, sign} from 'node:crypto';
import {promisify} from 'node:util';
import {requireSignatureAlgorithm, signatureAlgorithms} from '../domain/x509/algorithms.js';
import {publicHalf} from '../domain/keys/keys.js';
import type {Signer} from '../domain/x509/signer.js';

const signAsync = promisify(sign);

/** Signs with a private key in memory, on a libuv thread. Throws `UNSUPPORTED_KEY`. */
export function createKeySigner(key: KeyObject): Signer {
  const algorithm = requireSignatureAlgorithm(key);
  const [hash] = signatureAlgorithms[algorithm].hashes;
  return {publicKey: publicHalf(key), algorithm, sign: async (message) => signAsync(hash, message, key)};
}
