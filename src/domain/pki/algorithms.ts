/** Signature algorithms: their identifiers in certificates, and what node:crypto calls them. */
import type {KeyObject} from 'node:crypto';
import {type Der, derNull, oid, readOid, readSequence, sequence} from './der.js';

/** The algorithms this program signs with. */
export const signatureAlgorithms = {
  sha256WithRSAEncryption: {oid: '1.2.840.113549.1.1.11', hash: 'sha256', parameters: 'null'},
  'ecdsa-with-SHA256': {oid: '1.2.840.10045.4.3.2', hash: 'sha256', parameters: 'absent'},
  'ecdsa-with-SHA384': {oid: '1.2.840.10045.4.3.3', hash: 'sha384', parameters: 'absent'},
} as const;
export type SignatureAlgorithm = keyof typeof signatureAlgorithms;

/** Names of further algorithms that may be met in foreign certificates. */
const otherNames: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.4': 'md5WithRSAEncryption',
  '1.2.840.113549.1.1.5': 'sha1WithRSAEncryption',
  '1.2.840.113549.1.1.10': 'rsassaPss',
  '1.2.840.113549.1.1.12': 'sha384WithRSAEncryption',
  '1.2.840.113549.1.1.13': 'sha512WithRSAEncryption',
  '1.2.840.10045.4.1': 'ecdsa-with-SHA1',
  '1.2.840.10045.4.3.1': 'ecdsa-with-SHA224',
  '1.2.840.10045.4.3.4': 'ecdsa-with-SHA512',
  '1.3.101.112': 'Ed25519',
};

/** Go's crypto/x509 refuses these since 1.18: a chain signed with them does not load in istiod. */
const insecure: ReadonlySet<string> = new Set(['md5WithRSAEncryption', 'sha1WithRSAEncryption', 'ecdsa-with-SHA1']);

/** Whether Go refuses signatures of this algorithm as insecure. */
export function isInsecure(algorithm: string): boolean {
  return insecure.has(algorithm);
}

/**
 * The algorithm a CA with this key signs with: SHA-256, and SHA-384 with P-384, whose strength it matches (RFC 5480 4).
 * Undefined for keys we do not sign with.
 */
export function signatureAlgorithmFor(key: KeyObject): SignatureAlgorithm | undefined {
  if (key.asymmetricKeyType === 'rsa') return 'sha256WithRSAEncryption';
  if (key.asymmetricKeyType !== 'ec') return undefined;
  switch (key.asymmetricKeyDetails?.namedCurve) {
    case 'prime256v1':
      return 'ecdsa-with-SHA256';
    case 'secp384r1':
      return 'ecdsa-with-SHA384';
    default:
      return undefined;
  }
}

/** AlgorithmIdentifier. RSA carries NULL, ECDSA nothing (RFC 4055 2.1, RFC 5758 3.2). */
export function encodeSignatureAlgorithm(algorithm: SignatureAlgorithm): Der {
  const {oid: id, parameters} = signatureAlgorithms[algorithm];
  return sequence(oid(id), ...(parameters === 'null' ? [derNull] : []));
}

/** The name of an AlgorithmIdentifier, or its dotted identifier. Throws a plain Error. */
export function readSignatureAlgorithm(value: Der | undefined): string {
  const id = readOid(readSequence(value, 'signature algorithm')[0], 'signature algorithm');
  const ours = Object.entries(signatureAlgorithms).find(([, {oid: known}]) => known === id)?.[0];
  return ours ?? otherNames[id] ?? id;
}
