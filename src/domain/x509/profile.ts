/** The certificate profiles of root CAs and cluster CAs, with their sources. Pure: time and randomness are arguments. */
import {formatMinute} from '../format.js';
import type {KeyObject} from 'node:crypto';
import {MeshError} from '../errors.js';
import {requireSignatureAlgorithm} from './algorithms.js';
import {type Certificate, type CertificateTemplate, keyIdentifier} from './certificate.js';
import type {KeyUsage} from './extensions.js';
import {spkiHash} from '../keys/keys.js';
import {attributeOf, type NameTemplate} from './name.js';
import {dayMs} from '../time.js';

/** The O in every certificate (istio/istio tools/certs/common.mk, ROOTCA_ORG and INTERMEDIATE_ORG). */
const organization = 'Istio';

/** Node clocks differ by seconds to minutes: Istio backdates its certificates by two minutes, this program by five. */
const backdateMs = 5 * 60_000;

/**
 * Signing certificates and CRLs, which istiod requires of every certificate in the chain if there is a ca-crl.pem
 * (istio/istio security/pkg/pki/util/keycertbundle.go), and digitalSignature as in Istio's Makefile. Omits the Makefile's
 * keyEncipherment and nonRepudiation, which do not apply to a CA key.
 */
export const caKeyUsage: readonly KeyUsage[] = ['digitalSignature', 'keyCertSign', 'cRLSign'];

/** The inputs for a root CA. */
export interface RootRequest {
  readonly publicKey: KeyObject;
  readonly meshID?: string;
  /** Days of 24 hours. */
  readonly validityDays: number;
  readonly now: Date;
  readonly serial: Uint8Array;
}

/**
 * The root's name: mesh (if declared), month, and four hexadecimal digits of the key's hash. It is unique, because roots
 * with the same subject break verifiers that look up issuers by name during a root rotation.
 */
export function rootName(request: Pick<RootRequest, 'publicKey' | 'meshID' | 'now'>): NameTemplate {
  const month = request.now.toISOString().slice(0, 7);
  const digits = spkiHash(request.publicKey).slice(0, 4);
  // RFC 5280 A.1 allows 64 characters in a CN.
  const mesh = request.meshID === undefined ? '' : `${request.meshID.slice(0, 40)} `;
  return [
    {type: 'O', value: organization},
    {type: 'CN', value: `${mesh}Root CA ${month} ${digits}`},
  ];
}

/** Whether a root has the name that {@link rootName} gives it. No other tool derives the digits from the key. */
export function hasGeneratedName({subject, spki}: Pick<Certificate, 'subject' | 'spki'>): boolean {
  const [, digits] = /^(?:.{1,40} )?Root CA \d{4}-\d{2} ([0-9a-f]{4})$/.exec(attributeOf(subject, 'CN') ?? '') ?? [];
  return digits !== undefined && spki.startsWith(digits);
}

/** The template of a self-signed root CA: no path length, 3650 days unless declared otherwise (ROOTCA_DAYS). */
export function rootTemplate(request: RootRequest): CertificateTemplate {
  const keyId = keyIdentifier(request.publicKey);
  return {
    serial: request.serial,
    subject: rootName(request),
    ...validity(request.now, request.validityDays),
    publicKey: request.publicKey,
    // OpenSSL 3's x509_strict requires an AKI except in self-signed certificates (RFC 5280 4.2.1.1).
    extensions: {basicConstraints: {ca: true}, keyUsage: caKeyUsage, subjectKeyId: keyId},
    signatureAlgorithm: requireSignatureAlgorithm(request.publicKey),
  };
}

/** A cluster CA's name: as in Istio's Makefile, with the cluster as locality (INTERMEDIATE_CN, tools/certs/common.mk). */
export function clusterCaName(cluster: string): NameTemplate {
  return [
    {type: 'O', value: organization},
    {type: 'CN', value: 'Intermediate CA'},
    {type: 'L', value: cluster},
  ];
}

/** The inputs for a cluster CA. */
export interface ClusterCaRequest extends Omit<RootRequest, 'meshID'> {
  readonly cluster: string;
  readonly issuer: Certificate;
  /** The certificates above the issuer, which may expire before the issuer does. */
  readonly above?: readonly Certificate[];
}

/**
 * The template of a cluster CA: path length 0, since istiod issues only leaf certificates, and 730 days unless declared
 * otherwise (INTERMEDIATE_DAYS). It outlives no certificate above it. Throws `ISSUE_FAILED` if the issuer has expired.
 */
export function clusterCaTemplate(request: ClusterCaRequest): CertificateTemplate {
  const {issuer, above = []} = request;
  const period = validity(request.now, request.validityDays);
  if (issuer.notAfter <= request.now) {
    throw new MeshError(
      'ISSUE_FAILED',
      `the issuer "${issuer.subject.text}" expired on ${formatMinute(issuer.notAfter)}`,
    );
  }
  const keyId = issuer.extensions.subjectKeyId;
  return {
    serial: request.serial,
    subject: clusterCaName(request.cluster),
    issuer: issuer.subject.der,
    notBefore: issuer.notBefore > period.notBefore ? issuer.notBefore : period.notBefore,
    notAfter: [issuer, ...above].reduce((end, {notAfter}) => (notAfter < end ? notAfter : end), period.notAfter),
    publicKey: request.publicKey,
    extensions: {
      basicConstraints: {ca: true, pathLength: 0},
      keyUsage: caKeyUsage,
      subjectKeyId: keyIdentifier(request.publicKey),
      // The identifier in the issuer's certificate: foreign CAs compute it by other methods.
      authorityKeyId: keyId === undefined ? keyIdentifier(issuer.publicKey) : Buffer.from(keyId, 'hex'),
    },
    signatureAlgorithm: requireSignatureAlgorithm(issuer.publicKey),
  };
}

/** A validity period in whole seconds: certificates have no fractions of seconds. */
function validity(now: Date, days: number): {readonly notBefore: Date; readonly notAfter: Date} {
  const start = Math.floor(now.getTime() / 1000) * 1000;
  return {notBefore: new Date(start - backdateMs), notAfter: new Date(start + days * dayMs)};
}
