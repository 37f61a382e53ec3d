/** The signer of this work directory: root-cert.pem and root-key.pem, the key decrypted in memory. */
import {type KeyObject, sign} from 'node:crypto';
import {promisify} from 'node:util';
import {MeshError} from '../domain/errors.js';
import {signatureAlgorithmFor, signatureAlgorithms} from '../domain/pki/algorithms.js';
import {parseCertificates} from '../domain/pki/certificate.js';
import {publicHalf} from '../domain/pki/keys.js';
import {openPrivateKey} from '../domain/pki/private-key.js';
import {spkiHash} from '../domain/pki/fingerprint.js';
import {layout} from '../domain/mesh/layout.js';
import type {CertificateAuthority, Signer} from '../domain/pki/signer.js';
import type {Sensitive} from '../domain/sensitive.js';
import type {Workspace} from '../workspace/workspace.js';

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

/**
 * Opens the root CA of a work directory; asks for the passphrase only if the key is encrypted. While a root is rotated
 * root-cert.pem holds several: the signing one is the one whose key this is. Throws `FILE_MISSING`, `WORKDIR_CONFLICT`,
 * `WRONG_PASSPHRASE`, and what reading the files throws.
 */
export async function openLocalAuthority(
  workspace: Workspace,
  askPassphrase: () => Promise<Sensitive<string>>,
): Promise<CertificateAuthority> {
  const {rootCert: certificatePath, rootKey: keyPath} = layout;
  const [text, secret] = await Promise.all([workspace.readText(certificatePath), workspace.readSecret(keyPath)]);
  if (text === undefined || secret === undefined) {
    const missing = text === undefined ? certificatePath : keyPath;
    throw new MeshError('FILE_MISSING', `${missing} is not in the work directory: nothing can be signed without it`, {
      hints: [`Bring ${missing} back, or run this where it is kept`],
    });
  }
  const {certificates} = parseCertificates(text, certificatePath);
  const signer = createKeySigner(await openPrivateKey(secret, askPassphrase, keyPath));
  const spki = spkiHash(signer.publicKey);
  const certificate = certificates.find((one) => one.spki === spki);
  if (!certificate) {
    throw new MeshError('WORKDIR_CONFLICT', `${keyPath} is not the key of any certificate in ${certificatePath}`, {
      hints: ['One of the two comes from another root CA: bring back the pair that belongs together'],
    });
  }
  return {signer, certificate};
}
