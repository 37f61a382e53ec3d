/** What a root CA and a cluster CA of ours look like: every number with its source. Pure: time and randomness are arguments. */
import {formatMinute} from '../format.js';
import type {KeyObject} from 'node:crypto';
import {MeshError} from '../errors.js';
import {requireSignatureAlgorithm} from './algorithms.js';
import {type Certificate, type CertificateTemplate, keyIdentifier} from './certificate.js';
import type {KeyUsage} from './extensions.js';
import {spkiHash} from '../keys/keys.js';
import type {NameTemplate} from './name.js';
import {dayMs} from '../time.js';

/** O of every certificate (istio/istio tools/certs/common.mk, ROOTCA_ORG and INTERMEDIATE_ORG). */
const organization = 'Istio';

/** Clocks of nodes differ by seconds to minutes; Istio's own certificates start 2 minutes back, we take five. */
const backdateMs = 5 * 60_000;

/**
 * Signing certificates and CRLs, which istiod needs of every certificate in the chain once a ca-crl.pem is given
 * (istio/istio security/pkg/pki/util/keycertbundle.go), and digitalSignature as in Istio's Makefile. Not its
 * keyEncipherment and nonRepudiation: a CA key does neither.
 */
export const caKeyUsage: readonly KeyUsage[] = ['digitalSignature', 'keyCertSign', 'cRLSign'];

/** What a root CA is made from. */
export interface RootRequest {
  readonly publicKey: KeyObject;
  readonly meshID?: string;
  /** Days of 24 hours. */
  readonly validityDays: number;
  readonly now: Date;
  readonly serial: Uint8Array;
}

/**
 * The root's name: unique, because roots that share a subject break verifiers that look an issuer up by name while the
 * root is rotated. Mesh (where declared), month, and four hexadecimal digits of the key.
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

/** The template of a self-signed root CA: no path length, 3650 days unless declared otherwise (ROOTCA_DAYS). */
export function rootTemplate(request: RootRequest): CertificateTemplate {
  const keyId = keyIdentifier(request.publicKey);
  return {
    serial: request.serial,
    subject: rootName(request),
    ...validity(request.now, request.validityDays),
    publicKey: request.publicKey,
    // OpenSSL 3's x509_strict wants an AKI on everything but a self-signed certificate (RFC 5280 4.2.1.1).
    extensions: {basicConstraints: {ca: true}, keyUsage: caKeyUsage, subjectKeyId: keyId},
    signatureAlgorithm: requireSignatureAlgorithm(request.publicKey),
  };
}

/** The name of a cluster's CA: Istio's Makefile's, with the cluster as its locality (INTERMEDIATE_CN, tools/certs/common.mk). */
export function clusterCaName(cluster: string): NameTemplate {
  return [
    {type: 'O', value: organization},
    {type: 'CN', value: 'Intermediate CA'},
    {type: 'L', value: cluster},
  ];
}

/** What a cluster CA is made from. */
export interface ClusterCaRequest extends Omit<RootRequest, 'meshID'> {
  readonly cluster: string;
  readonly issuer: Certificate;
  /** What stands above the issuer, which may end earlier than the issuer itself. */
  readonly above?: readonly Certificate[];
}

/**
 * The template of a cluster's CA: path length 0, since istiod issues leaves only; never outliving its issuer or what stands above that; 730 days
 * unless declared otherwise (INTERMEDIATE_DAYS). Throws `ISSUE_FAILED` when the issuer has expired or is no CA.
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
      // What the issuer says its identifier is, not what we would compute: foreign CAs use other methods.
      authorityKeyId: keyId === undefined ? keyIdentifier(issuer.publicKey) : Buffer.from(keyId, 'hex'),
    },
    signatureAlgorithm: requireSignatureAlgorithm(issuer.publicKey),
  };
}

/** Whole seconds: certificates have no fractions. */
function validity(now: Date, days: number): {readonly notBefore: Date; readonly notAfter: Date} {
  const start = Math.floor(now.getTime() / 1000) * 1000;
  return {notBefore: new Date(start - backdateMs), notAfter: new Date(start + days * dayMs)};
}
