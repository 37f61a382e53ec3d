/** A CA whose key is usable here (root-key.pem, a program, a Secret): finds its certificate, issues under it. */
import {randomBytes} from 'node:crypto';
import {cannotIssue, type Issuer} from '../domain/ca/issuer.js';
import {MeshError} from '../domain/errors.js';
import {layout} from '../domain/mesh/layout.js';
import {
  type Certificate,
  type CertificateAuthority,
  issueCertificate,
  parseCertificates,
  serialBytes,
} from '../domain/x509/certificate.js';
import {orderUpward} from '../domain/x509/chain.js';
import {clusterCaTemplate} from '../domain/x509/profile.js';
import type {Workspace} from '../workspace/workspace.js';

/** Reads trust.signer.certificate; empty if it is not set. Throws `FILE_MISSING`, `NOT_PEM`, `NOT_A_CERTIFICATE`. */
export async function readSigningCertificates(
  workspace: Workspace,
  path: string | undefined,
): Promise<readonly Certificate[]> {
  if (path === undefined) return [];
  const text = path.startsWith('/')
    ? (await workspace.readOutside(path)).reveal().toString('utf8')
    : await workspace.readText(path);
  if (text === undefined) {
    throw new MeshError('FILE_MISSING', `${path} (trust.signer.certificate) not found in the work directory`);
  }
  return parseCertificates(text, path).certificates;
}

/** Reads the work directory's roots; empty if root-cert.pem does not exist yet. */
export async function readRoots(workspace: Workspace): Promise<readonly Certificate[]> {
  const text = await workspace.readText(layout.rootCert);
  return text === undefined ? [] : parseCertificates(text, layout.rootCert).certificates;
}

/** Returns the certificate of a key, then the certificates above it; empty if none belongs to the key. */
export function upwardFrom(
  spki: string,
  certificates: readonly Certificate[],
  roots: readonly Certificate[],
): readonly Certificate[] {
  const known = [...certificates, ...roots];
  const own = known.find((one) => one.spki === spki);
  return own ? orderUpward(own, known) : [];
}

/** Creates an issuer for `authority`; `what` names its certificate in messages. */
export function createAuthorityIssuer(authority: CertificateAuthority, what: string): Issuer {
  const {signer, certificate, above} = authority;
  return {
    async issue(request) {
      const error = cannotIssue([certificate, ...above], request.now, what);
      if (error) throw error;
      const serial = randomBytes(serialBytes);
      const template = clusterCaTemplate({...request, serial, issuer: certificate, above});
      const issued = await issueCertificate(template, signer, `the new CA of ${request.cluster}`);
      return {certificate: issued, above: [certificate, ...above], changes: []};
    },
  };
}
