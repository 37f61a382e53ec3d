import {type KeyObject, sign} from 'node:crypto';
import {promisify} from 'node:util';
import {MeshError} from '../domain/errors.js';
import {signatureAlgorithmFor, signatureAlgorithms} from '../domain/x509/algorithms.js';
import {publicHalf} from '../domain/keys/keys.js';
import type {Signer} from '../domain/x509/signer.js';

const signAsync = promisify(sign);

/** Signs with a private key in memory, on a libuv thread. Throws `UNSUPPORTED_KEY`. */
export function createKeySigner(key: KeyObject): Signer {
  const algorithm = signatureAlgorithmFor(key);
  if (!algorithm) {
    throw new MeshError('UNSUPPORTED_KEY', 'this program signs with RSA, ECDSA P-256 and ECDSA P-384 keys only');
  }
  const {hash} = signatureAlgorithms[algorithm];
  return {publicKey: publicHalf(key), algorithm, sign: async (message) => signAsync(hash, message, key)};
}
