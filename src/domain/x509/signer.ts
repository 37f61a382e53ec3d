/** Who holds a CA key and signs bytes with it: a file, a program, a cluster's Secret. Implementations live in src/signers. */
import type {KeyObject} from 'node:crypto';
import type {SignatureAlgorithm} from './algorithms.js';
import {type Certificate, type CertificateTemplate, parseCertificate, seal, toBeSigned} from './certificate.js';

/** Holds a private key. */
export interface Signer {
  readonly publicKey: KeyObject;
  readonly algorithm: SignatureAlgorithm;
  /** The signature of a message, DER for ECDSA. Throws `ISSUE_FAILED`, `SIGNER_REFUSED`, `SIGNER_UNAVAILABLE`, `INTERRUPTED`. */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/** A signer with its certificate and what stands above it: what a certificate can be issued under. */
export interface CertificateAuthority {
  readonly signer: Signer;
  readonly certificate: Certificate;
  /** Upward, the root last; empty for a root. */
  readonly above: readonly Certificate[];
}

/** Signs a template and reads the result back, as a foreign certificate would be read. `what` names it in messages. */
export async function issueCertificate(
  template: CertificateTemplate,
  signer: Signer,
  what: string,
): Promise<Certificate> {
  const tbs = toBeSigned(template);
  const signature = await signer.sign(tbs);
  return parseCertificate(seal(tbs, template.signatureAlgorithm, signature), what);
}
