/** Workload certificates like those from istiod, and their validation before use. */
import {formatMinute} from '../format.js';
import type {KeyObject} from 'node:crypto';
import {MeshError, recover} from '../errors.js';
import type {Sensitive} from '../sensitive.js';
import {requireSignatureAlgorithm} from '../x509/algorithms.js';
import {type Certificate, type CertificateTemplate, keyIdentifier, parseCertificates} from '../x509/certificate.js';
import {proxiesAllowUsage, verifyChain} from '../x509/chain.js';
import {readPrivateKey} from '../keys/private-key.js';
import type {CaFiles} from './ca-files.js';
import {parseTrustStore, sameRoots} from './trust-store.js';

/** istiod's backdating of notBefore (istio/istio security/pkg/pki/util/generate_cert.go, ClockSkewGracePeriod). */
const backdateMs = 2 * 60_000;

/** istiod's maximum lifetime in milliseconds (istio/istio security/pkg/cmd/constants.go, DefaultMaxWorkloadCertTTL). */
export const maxWorkloadMs = 90 * 24 * 60 * 60_000;
/** istiod's default lifetime in milliseconds (DefaultWorkloadCertTTL). */
export const defaultWorkloadMs = 24 * 60 * 60_000;
/** The minimum lifetime in milliseconds: a shorter one would expire before the certificate is deployed. */
export const minWorkloadMs = 60_000;

/** The inputs for a workload certificate. */
export interface WorkloadRequest {
  readonly publicKey: KeyObject;
  readonly spiffeId: string;
  readonly validityMs: number;
  readonly now: Date;
  readonly serial: Uint8Array;
  /** The cluster CA, then the certificates above it. */
  readonly upward: readonly Certificate[];
}

/**
 * The template of a workload certificate, as in istiod (istio/istio security/pkg/pki/util/generate_cert.go,
 * genCertTemplateFromCSR): no subject, the SPIFFE ID as the only name and critical, for both ends of a TLS connection. It
 * outlives no certificate above it (istiod: since 1.28.7, 1.29.3, 1.30). Throws `ISSUE_FAILED` if one of those has expired.
 */
export function workloadTemplate(request: WorkloadRequest): CertificateTemplate {
  const {publicKey, spiffeId, validityMs, now, upward} = request;
  const [issuer] = upward;
  if (!issuer) throw new MeshError('INTERNAL', 'a workload certificate needs a CA');
  const signatureAlgorithm = requireSignatureAlgorithm(issuer.publicKey);
  const end = workloadEnd(now, validityMs, upward);
  if (end <= now) {
    throw new MeshError(
      'ISSUE_FAILED',
      `the CA "${issuer.subject.text}" or one above it expired on ${formatMinute(end)}`,
    );
  }
  const begin = wholeSeconds(now.getTime() - backdateMs);
  const authority = issuer.extensions.subjectKeyId;
  return {
    serial: request.serial,
    subject: [],
    issuer: issuer.subject.der,
    notBefore: issuer.notBefore > begin ? issuer.notBefore : begin,
    notAfter: end,
    publicKey,
    extensions: {
      basicConstraints: {ca: false},
      keyUsage: ['digitalSignature', 'keyEncipherment'],
      extendedKeyUsage: ['serverAuth', 'clientAuth'],
      subjectKeyId: keyIdentifier(publicKey),
      authorityKeyId: authority === undefined ? keyIdentifier(issuer.publicKey) : Buffer.from(authority, 'hex'),
      subjectAltNames: [{type: 'uri', value: spiffeId}],
      subjectAltNamesCritical: true,
    },
    signatureAlgorithm,
  };
}

/** When a workload certificate expires: after the requested validity, or with the first certificate above it. */
export function workloadEnd(now: Date, validityMs: number, upward: readonly Certificate[]): Date {
  const requested = wholeSeconds(now.getTime() + validityMs);
  return upward.reduce((end, {notAfter}) => (notAfter < end ? notAfter : end), requested);
}

function wholeSeconds(ms: number): Date {
  return new Date(Math.floor(ms / 1000) * 1000);
}

/** The files of a workload. Missing files are undefined. */
type WorkloadFiles = Pick<CaFiles, 'certChain' | 'rootCert'> & {readonly key: Sensitive<string> | undefined};

/** The state of a workload's files. */
export type WorkloadState =
  | {readonly kind: 'absent'}
  | {readonly kind: 'valid'; readonly certificate: Certificate}
  /** Expired: it can be replaced without loss. */
  | {readonly kind: 'expired'; readonly certificate: Certificate}
  /** Other or corrupt content: replacing it must be confirmed. */
  | {readonly kind: 'conflict'; readonly reason: string};

/** Verifies the files like the workload's peers; `roots`: the cluster's root-cert.pem. Never throws for invalid input. */
export function workloadStateOf(
  {key, certChain, rootCert}: WorkloadFiles,
  {spiffeId, roots, now}: {readonly spiffeId: string; readonly roots: readonly Certificate[]; readonly now: Date},
): WorkloadState {
  if (key === undefined && certChain === undefined && rootCert === undefined) return {kind: 'absent'};
  const conflict = (reason: string): WorkloadState => ({kind: 'conflict', reason});
  if (key === undefined || certChain === undefined || rootCert === undefined) {
    return conflict('some of key.pem, cert-chain.pem and root-cert.pem are missing');
  }
  const check = (): WorkloadState => {
    const [certificate, ...intermediates] = parseCertificates(certChain, 'cert-chain.pem').certificates;
    const {roots: trusted} = parseTrustStore(rootCert, 'root-cert.pem');
    if (!certificate) return conflict('cert-chain.pem is empty');
    if (certificate.notAfter <= now) return {kind: 'expired', certificate};
    const names = certificate.extensions.subjectAltNames ?? [];
    if (!names.some(({type, value}) => type === 'uri' && value === spiffeId)) {
      return conflict(`the certificate is not for ${spiffeId}`);
    }
    if (readPrivateKey(key, 'key.pem').spki !== certificate.spki) {
      return conflict('key.pem is not the key of cert-chain.pem');
    }
    if (!sameRoots(trusted, roots)) return conflict("the roots in root-cert.pem are not the cluster's");
    const verified = verifyChain(certificate, {roots, intermediates, now});
    if ('failure' in verified) return conflict(verified.message);
    return proxiesAllowUsage(verified.chain, 'clientAuth')
      ? {kind: 'valid', certificate}
      : conflict('a certificate in the chain does not allow clientAuth');
  };
  return recover(check, ({message}) => conflict(message));
}
