/** The root key in a file: root-key.pem in the work directory, or in a directory that is mounted only for signing. */
import {MeshError} from '../domain/errors.js';
import {layout} from '../domain/mesh/layout.js';
import {rootKeyPath, type SignerSpecOf} from '../domain/mesh/signer.js';
import {spkiHash} from '../domain/keys/keys.js';
import {openPrivateKey} from '../domain/keys/private-key.js';
import type {Sensitive} from '../domain/sensitive.js';
import type {CertificateAuthority} from '../domain/x509/certificate.js';
import {createAuthorityIssuer, readRoots, readSigningCertificates, upwardFrom} from './authority.js';
import {createKeySigner} from './keys.js';
import type {SignerContext, SignerModule} from './signer-module.js';

type LocalSpec = SignerSpecOf<'local'>;

/**
 * Opens the signing CA; requires the passphrase only if the key is encrypted. During a root rotation root-cert.pem
 * contains several roots: the signing one is the one that belongs to the key. Throws `FILE_MISSING`,
 * `WORKDIR_CONFLICT`, `WRONG_PASSPHRASE`, and what reading the files throws.
 */
export async function openLocalAuthority(spec: LocalSpec, context: SignerContext): Promise<CertificateAuthority> {
  const {workspace} = context;
  const keyPath = rootKeyPath(spec);
  const [roots, certificates, secret] = await Promise.all([
    readRoots(workspace),
    readSigningCertificates(workspace, spec.certificate),
    context.rootStore(spec).readSecret(layout.rootKey),
  ]);
  if (roots.length === 0 || secret === undefined) {
    const missing = roots.length === 0 ? layout.rootCert : keyPath;
    throw new MeshError('FILE_MISSING', `${missing} not found: it is required for signing`, {
      hints: [`restore ${missing}, or run this command where it is stored`],
    });
  }
  const passphrase = (): Promise<Sensitive<string>> => context.readPassphrase(keyPath);
  const retry = (wrong: MeshError): boolean => context.retryPassphrase(wrong);
  const signer = createKeySigner(await openPrivateKey(secret, passphrase, keyPath, retry));
  const [certificate, ...above] = upwardFrom(spkiHash(signer.publicKey), certificates, roots);
  if (!certificate) {
    const where = spec.certificate ?? layout.rootCert;
    throw new MeshError('WORKDIR_CONFLICT', `${keyPath} is not the key of any certificate in ${where}`, {
      hints: ['restore the matching pair: one of them belongs to another CA'],
    });
  }
  return {signer, certificate, above};
}

/** `{type: local}`. */
export const localSigner: SignerModule<'local'> = {
  async survey(spec, context) {
    const {workspace} = context;
    const store = context.rootStore(spec);
    const isSeparate = store !== workspace;
    const [key, certificate, certificates, directory] = await Promise.all([
      store.readSecret(layout.rootKey),
      isSeparate ? store.readText(layout.rootCert) : undefined,
      readSigningCertificates(workspace, spec.certificate),
      isSeparate ? store.statTarget('.') : undefined,
    ]);
    const directoryMissing = isSeparate && directory?.kind !== 'directory';
    return {kind: 'key-file', keyPath: rootKeyPath(spec), key, certificate, certificates, directoryMissing};
  },
  async open(spec, context) {
    return createAuthorityIssuer(await openLocalAuthority(spec, context), spec.certificate ?? layout.rootCert);
  },
};
