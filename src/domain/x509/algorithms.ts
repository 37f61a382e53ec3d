/** Signature algorithms: their identifiers in certificates, and what node:crypto calls them. */
import type {KeyObject} from 'node:crypto';
import {
  childrenOf,
  type Der,
  derNull,
  isContext,
  isTag,
  oid,
  readOid,
  readSequence,
  readSmallInteger,
  sequence,
  tags,
} from '../asn1/der.js';

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
  '1.2.840.113549.1.1.12': 'sha384WithRSAEncryption',
  '1.2.840.113549.1.1.13': 'sha512WithRSAEncryption',
  '1.2.840.10045.4.1': 'ecdsa-with-SHA1',
  '1.2.840.10045.4.3.1': 'ecdsa-with-SHA224',
  '1.2.840.10045.4.3.4': 'ecdsa-with-SHA512',
  '1.3.101.112': 'Ed25519',
};

/** RSASSA-PSS, which says its hash in parameters of its own (RFC 4055 3.1). */
const pss = {
  oid: '1.2.840.113549.1.1.10',
  mgf1: '1.2.840.113549.1.1.8',
  /** SHA-256, SHA-384 and SHA-512 with the salt's length, which Go wants to be that of the hash. Bytes. */
  hashes: new Map([
    ['2.16.840.1.101.3.4.2.1', 32],
    ['2.16.840.1.101.3.4.2.2', 48],
    ['2.16.840.1.101.3.4.2.3', 64],
  ]),
  sha1: '1.3.14.3.2.26',
} as const;

/** Go's crypto/x509 refuses these since 1.18: a chain signed with them does not load in istiod. */
const insecure: ReadonlySet<string> = new Set([
  'md5WithRSAEncryption',
  'sha1WithRSAEncryption',
  'ecdsa-with-SHA1',
  'rsassaPss with SHA-1',
]);

/** The others that Go's crypto/x509 knows (getSignatureAlgorithmFromAI in golang/go src/crypto/x509/x509.go). */
const known: ReadonlySet<string> = new Set([
  'sha256WithRSAEncryption',
  'sha384WithRSAEncryption',
  'sha512WithRSAEncryption',
  'rsassaPss',
  'ecdsa-with-SHA256',
  'ecdsa-with-SHA384',
  'ecdsa-with-SHA512',
  'Ed25519',
]);

/** Whether Go refuses signatures of this algorithm as insecure. */
export function isInsecure(algorithm: string): boolean {
  return insecure.has(algorithm);
}

/** Whether Go can verify signatures of this algorithm, and holds them for secure. */
export function isKnownToGo(algorithm: string): boolean {
  return known.has(algorithm);
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
  const [identifier, parameters] = readSequence(value, 'signature algorithm');
  const id = readOid(identifier, 'signature algorithm');
  if (id === pss.oid) return pssName(parameters);
  const ours = Object.entries(signatureAlgorithms).find(([, {oid: known}]) => known === id)?.[0];
  return ours ?? otherNames[id] ?? id;
}

/** `rsassaPss` for the parameters that Go takes; for others a name that tells them apart. Throws a plain Error. */
function pssName(parameters: Der | undefined): string {
  const fields = parameters ? readSequence(parameters, 'RSASSA-PSS parameters') : [];
  const field = (tag: number): Der | undefined => {
    const wrapped = fields.find((one) => isContext(one, tag));
    return wrapped && childrenOf(wrapped, 'RSASSA-PSS parameters')[0];
  };
  const [hash, mask, salt, trailer] = [field(0), field(1), field(2), field(3)];
  // SHA-1 is what counts where no hash is said.
  const [hashId = pss.sha1, hasUsualHash] = hash ? readHash(hash) : [];
  if (hashId === pss.sha1) return 'rsassaPss with SHA-1';
  const [maskId, maskHash] = mask ? readSequence(mask, 'mask generation') : [];
  const [maskHashId, hasUsualMask] = maskHash ? readHash(maskHash) : [];
  const isUsual =
    hasUsualHash === true &&
    hasUsualMask === true &&
    readOid(maskId, 'mask generation') === pss.mgf1 &&
    maskHashId === hashId &&
    salt !== undefined &&
    readSmallInteger(salt, 'salt length') === pss.hashes.get(hashId) &&
    trailer === undefined;
  return isUsual ? 'rsassaPss' : 'rsassaPss with unusual parameters';
}

/** A hash, and whether it has no parameters but NULL. */
function readHash(value: Der): readonly [string, boolean] {
  const [id, parameters] = readSequence(value, 'hash');
  return [readOid(id, 'hash'), parameters === undefined || isTag(parameters, tags.null)];
}
