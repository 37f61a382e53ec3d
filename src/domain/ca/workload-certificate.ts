/** A workload's certificate as istiod issues it, and what is asked of one before it is given away. */
import {formatMinute} from '../format.js';
import type {KeyObject} from 'node:crypto';
import {MeshError, recover} from '../errors.js';
import type {Sensitive} from '../sensitive.js';
import {requireSignatureAlgorithm} from '../x509/algorithms.js';
import {type Certificate, type CertificateTemplate, keyIdentifier, parseCertificates} from '../x509/certificate.js';
import {namesUsage, verifyChain} from '../x509/chain.js';
import {readPrivateKey} from '../keys/private-key.js';
import type {CaFiles} from './ca-files.js';
import {parseTrustStore, sameRoots} from './trust-store.js';

/** How far istiod sets the beginning back (istio/istio security/pkg/pki/util/generate_cert.go, ClockSkewGracePeriod). */
const backdateMs = 2 * 60_000;

/** What istiod issues at most (istio/istio security/pkg/cmd/constants.go, DefaultMaxWorkloadCertTTL). Milliseconds. */
export const longestWorkloadMs = 90 * 24 * 60 * 60_000;
/** What istiod issues where nothing is asked for (DefaultWorkloadCertTTL). Milliseconds. */
export const usualWorkloadMs = 24 * 60 * 60_000;
/** Shorter, and it has ended before it is where it belongs. Milliseconds. */
export const shortestWorkloadMs = 60_000;

/** What a workload's certificate is made from. */
export interface WorkloadRequest {
  readonly publicKey: KeyObject;
  readonly spiffeId: string;
  readonly validityMs: number;
  readonly now: Date;
  readonly serial: Uint8Array;
  /** The cluster CA, then what stands above it. */
  readonly upward: readonly Certificate[];
}

/**
 * The template that istiod fills (istio/istio security/pkg/pki/util/generate_cert.go, genCertTemplateFromCSR): no subject,
 * the SPIFFE ID as the only name and critical, for both ends of a TLS connection. It outlives no certificate above it,
 * which istiod sees to since 1.28.7, 1.29.3 and 1.30. Throws `ISSUE_FAILED` when one of those has expired.
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

/** When it will end: as asked for, or with the first certificate above it. */
export function workloadEnd(now: Date, validityMs: number, upward: readonly Certificate[]): Date {
  const asked = wholeSeconds(now.getTime() + validityMs);
  return upward.reduce((end, {notAfter}) => (notAfter < end ? notAfter : end), asked);
}

function wholeSeconds(ms: number): Date {
  return new Date(Math.floor(ms / 1000) * 1000);
}

/** The three files of a workload. What is not there is undefined. */
type WorkloadFiles = Pick<CaFiles, 'certChain' | 'rootCert'> & {readonly key: Sensitive<string> | undefined};

/** What lies where a workload's files belong. */
export type WorkloadState =
  | {readonly kind: 'absent'}
  | {readonly kind: 'valid'; readonly certificate: Certificate}
  /** It has ended: nothing is lost when it is replaced. */
  | {readonly kind: 'expired'; readonly certificate: Certificate}
  /** Something else, or something broken: a person has to say that it may go. */
  | {readonly kind: 'conflict'; readonly reason: string};

/** Judges the files as the workload's peers will; `roots`: the cluster's root-cert.pem. Throws nothing for bad input. */
export function judgeWorkload(
  {key, certChain, rootCert}: WorkloadFiles,
  {spiffeId, roots, now}: {readonly spiffeId: string; readonly roots: readonly Certificate[]; readonly now: Date},
): WorkloadState {
  if (key === undefined && certChain === undefined && rootCert === undefined) return {kind: 'absent'};
  const conflict = (reason: string): WorkloadState => ({kind: 'conflict', reason});
  if (key === undefined || certChain === undefined || rootCert === undefined) {
    return conflict('some of key.pem, cert-chain.pem and root-cert.pem are missing');
  }
  const judge = (): WorkloadState => {
    const [certificate, ...intermediates] = parseCertificates(certChain, 'cert-chain.pem').certificates;
    const {roots: own} = parseTrustStore(rootCert, 'root-cert.pem');
    if (!certificate) return conflict('cert-chain.pem is empty');
    if (certificate.notAfter <= now) return {kind: 'expired', certificate};
    const names = certificate.extensions.subjectAltNames ?? [];
    if (!names.some(({type, value}) => type === 'uri' && value === spiffeId)) {
      return conflict(`the certificate is not one of ${spiffeId}`);
    }
    if (readPrivateKey(key, 'key.pem').spki !== certificate.spki) {
      return conflict('key.pem is not the key of cert-chain.pem');
    }
    if (!sameRoots(own, roots)) return conflict("its roots are not the cluster's");
    const verified = verifyChain(certificate, {roots, intermediates, now});
    if ('failure' in verified) return conflict(verified.message);
    return namesUsage(verified.chain, 'clientAuth')
      ? {kind: 'valid', certificate}
      : conflict('a certificate in its chain does not allow clientAuth');
  };
  return recover(judge, ({message}) => conflict(message));
}
