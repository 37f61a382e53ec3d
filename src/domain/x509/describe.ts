/** Certificates and keys as plain data for results, JSON and views. Contains no private key material. */
import {unsupportedByIstiod} from './critical-extensions.js';
import {defined} from '../defined.js';
import type {Certificate} from './certificate.js';
import type {KeyEncryption} from '../keys/pkcs8.js';
import type {PrivateKeyFacts} from '../keys/private-key.js';
import {dayMs} from '../time.js';
import {expirySeverity, type ExpiryThresholds} from './expiry.js';

/** A certificate's validity now, by the thresholds in mesh.yaml (`trust.expiry`). */
export type ExpiryState = 'ok' | 'warning' | 'error' | 'expired' | 'not-yet-valid';

/** The main fields of a certificate. */
export interface CertificateSummary {
  readonly subject: string;
  readonly issuer: string;
  /** `rsa-4096`, `ecdsa-p256`, …. */
  readonly key: string;
  /** SHA-256, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  /** SHA-256 of the SubjectPublicKeyInfo, 64 lower-case hexadecimal digits. */
  readonly spki: string;
  /** ISO 8601, UTC. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** Whole days, rounded down; negative after expiry. */
  readonly daysLeft: number;
  readonly state: ExpiryState;
}

/** A CA or certificate in the journal, and in results that issued or found it. */
export type CertificateRef = Pick<CertificateSummary, 'subject' | 'key' | 'fingerprint' | 'notAfter'>;

/** All fields of a certificate. */
export interface CertificateDetails extends CertificateSummary {
  readonly version: number;
  /** Lower-case hexadecimal. */
  readonly serial: string;
  readonly signatureAlgorithm: string;
  readonly selfSigned: boolean;
  readonly ca: boolean;
  readonly pathLength?: number;
  readonly keyUsage?: readonly string[];
  readonly extendedKeyUsage?: readonly string[];
  readonly subjectAltNames?: readonly string[];
  readonly subjectKeyId?: string;
  readonly authorityKeyId?: string;
  readonly nameConstraints?: {readonly permitted: readonly string[]; readonly excluded: readonly string[]};
  readonly unhandledCritical?: readonly string[];
}

/** The public facts about a private key. */
export interface KeyDetails {
  /** PEM type of the first block. */
  readonly label: string;
  readonly form: PrivateKeyFacts['form'];
  /** `rsa-4096`, …; absent if the key is encrypted. */
  readonly key?: string;
  /** SHA-256 of the public key's SubjectPublicKeyInfo; absent if the key is encrypted. */
  readonly publicKeyFingerprint?: string;
  readonly encryption?: KeyEncryption;
  /** Whether istiod loads it as ca-key.pem, and if not, why. */
  readonly istiod: {readonly loads: boolean; readonly reason?: string};
}

function expiryState(certificate: Certificate, thresholds: ExpiryThresholds, now: Date): ExpiryState {
  if (certificate.notAfter <= now) return 'expired';
  if (certificate.notBefore > now) return 'not-yet-valid';
  return expirySeverity(certificate, thresholds, now) ?? 'ok';
}

/** The subject, key, fingerprint and expiry of a certificate. */
export function certificateRef({subject, key, fingerprint, notAfter}: Certificate): CertificateRef {
  return {subject: subject.text, key: key.name, fingerprint, notAfter: notAfter.toISOString()};
}

/** The main fields of a certificate, as of `now`. */
export function summarizeCertificate(
  certificate: Certificate,
  thresholds: ExpiryThresholds,
  now: Date,
): CertificateSummary {
  return {
    subject: certificate.subject.text,
    issuer: certificate.issuer.text,
    fingerprint: certificate.fingerprint,
    spki: certificate.spki,
    key: certificate.key.name,
    notBefore: certificate.notBefore.toISOString(),
    notAfter: certificate.notAfter.toISOString(),
    daysLeft: Math.floor((certificate.notAfter.getTime() - now.getTime()) / dayMs),
    state: expiryState(certificate, thresholds, now),
  };
}

/** All fields of a certificate, as of `now`. */
export function detailCertificate(
  certificate: Certificate,
  thresholds: ExpiryThresholds,
  now: Date,
): CertificateDetails {
  const {extensions} = certificate;
  const {basicConstraints, nameConstraints} = extensions;
  const text = ({type, value}: {readonly type: string; readonly value: string}): string => `${type}:${value}`;
  const unhandled = unsupportedByIstiod(extensions);
  return defined({
    ...summarizeCertificate(certificate, thresholds, now),
    version: certificate.version,
    serial: certificate.serial,
    signatureAlgorithm: certificate.signatureAlgorithm,
    selfSigned: certificate.selfSigned,
    ca: basicConstraints?.ca ?? false,
    pathLength: basicConstraints?.pathLength,
    keyUsage: extensions.keyUsage?.usages,
    extendedKeyUsage: extensions.extendedKeyUsage,
    subjectAltNames: extensions.subjectAltNames?.map(text),
    subjectKeyId: extensions.subjectKeyId,
    authorityKeyId: extensions.authorityKeyId,
    nameConstraints: nameConstraints && {
      permitted: nameConstraints.permitted.map(text),
      excluded: nameConstraints.excluded.map(text),
    },
    unhandledCritical: unhandled.length > 0 ? unhandled : undefined,
  });
}

/** The public facts about a private key, for results. */
export function detailKey(facts: PrivateKeyFacts): KeyDetails {
  return defined({
    label: facts.label,
    form: facts.form,
    key: facts.description?.name,
    publicKeyFingerprint: facts.spki,
    encryption: facts.encryption,
    istiod: defined({loads: facts.refusal === undefined, reason: facts.refusal}),
  });
}
