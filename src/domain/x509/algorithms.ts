/** Signature algorithms: their identifiers in certificates and their names in node:crypto. */
import {constants, type KeyObject, verify} from 'node:crypto';
import {MeshError} from '../errors.js';
import {
  childrenOf,
  type Der,
  derNull,
  isContext,
  isTag,
  oid,
  OutsideProfile,
  readOid,
  readSequence,
  readSmallInteger,
  sequence,
  tags,
} from '../asn1/der.js';

/** A signature algorithm. */
interface Algorithm {
  readonly oid: string;
  /**
   * How Go's crypto/x509 (x509.go, getSignatureAlgorithmFromAI), and so istiod, treats it in chains: since 1.18 it refuses
   * insecure algorithms.
   */
  readonly goSupport: 'secure' | 'insecure' | 'unknown';
  /** For verifying with node:crypto; absent if that is never needed. PSS names one of several hashes in its parameters. */
  readonly keyType?: 'rsa' | 'ec' | 'ed25519';
  readonly hashes?: readonly (string | null)[];
}

/** The algorithms that this program signs with. */
export const signatureAlgorithms = {
  sha256WithRSAEncryption: {oid: '1.2.840.113549.1.1.11', goSupport: 'secure', keyType: 'rsa', hashes: ['sha256']},
  'ecdsa-with-SHA256': {oid: '1.2.840.10045.4.3.2', goSupport: 'secure', keyType: 'ec', hashes: ['sha256']},
  'ecdsa-with-SHA384': {oid: '1.2.840.10045.4.3.3', goSupport: 'secure', keyType: 'ec', hashes: ['sha384']},
} as const satisfies Readonly<Record<string, Algorithm>>;
export type SignatureAlgorithm = keyof typeof signatureAlgorithms;

const pssOid = '1.2.840.113549.1.1.10';

/** These and the other algorithms that occur in foreign certificates, by name. */
const algorithms: ReadonlyMap<string, Algorithm> = new Map(
  Object.entries<Algorithm>({
    ...signatureAlgorithms,
    md5WithRSAEncryption: {oid: '1.2.840.113549.1.1.4', goSupport: 'insecure'},
    sha1WithRSAEncryption: {oid: '1.2.840.113549.1.1.5', goSupport: 'insecure', keyType: 'rsa', hashes: ['sha1']},
    sha384WithRSAEncryption: {oid: '1.2.840.113549.1.1.12', goSupport: 'secure', keyType: 'rsa', hashes: ['sha384']},
    sha512WithRSAEncryption: {oid: '1.2.840.113549.1.1.13', goSupport: 'secure', keyType: 'rsa', hashes: ['sha512']},
    rsassaPss: {oid: pssOid, goSupport: 'secure', keyType: 'rsa', hashes: ['sha256', 'sha384', 'sha512']},
    'rsassaPss with SHA-1': {oid: pssOid, goSupport: 'insecure'},
    'ecdsa-with-SHA1': {oid: '1.2.840.10045.4.1', goSupport: 'insecure', keyType: 'ec', hashes: ['sha1']},
    'ecdsa-with-SHA224': {oid: '1.2.840.10045.4.3.1', goSupport: 'unknown'},
    'ecdsa-with-SHA512': {oid: '1.2.840.10045.4.3.4', goSupport: 'secure', keyType: 'ec', hashes: ['sha512']},
    Ed25519: {oid: '1.3.101.112', goSupport: 'secure', keyType: 'ed25519', hashes: [null]},
  }),
);

/** RSASSA-PSS, whose parameters name the hash (RFC 4055 3.1). */
const pss = {
  mgf1: '1.2.840.113549.1.1.8',
  /** SHA-256, SHA-384 and SHA-512 with their salt length in bytes, which for Go must equal the hash length. */
  hashes: new Map([
    ['2.16.840.1.101.3.4.2.1', 32],
    ['2.16.840.1.101.3.4.2.2', 48],
    ['2.16.840.1.101.3.4.2.3', 64],
  ]),
  sha1: '1.3.14.3.2.26',
} as const;

/** How Go treats signatures with this algorithm in chains. */
export function goSupportOf(name: string): Algorithm['goSupport'] {
  return algorithms.get(name)?.goSupport ?? 'unknown';
}

/** Whether a signature verifies with an algorithm by name; false for an unknown algorithm. */
export function verifiesWith(name: string, signed: Buffer, publicKey: KeyObject, signature: Buffer): boolean {
  const {keyType, hashes = []} = algorithms.get(name) ?? {};
  if (publicKey.asymmetricKeyType !== keyType) return false;
  const padding =
    name === 'rsassaPss'
      ? {padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST}
      : {...(keyType === 'rsa' && {padding: constants.RSA_PKCS1_PADDING})};
  return hashes.some((hash) => verify(hash, signed, {key: publicKey, ...padding}, signature));
}

/**
 * The algorithm that a CA with this key signs with: SHA-256, or SHA-384 for P-384, to match its strength (RFC 5480 4).
 * Undefined for keys that this program does not sign with.
 */
export function signatureAlgorithmFor(key: KeyObject): SignatureAlgorithm | undefined {
  if (key.asymmetricKeyType === 'rsa') return 'sha256WithRSAEncryption';
  if (key.asymmetricKeyType !== 'ec') return undefined;
  const curves: Readonly<Record<string, SignatureAlgorithm>> = {
    prime256v1: 'ecdsa-with-SHA256',
    secp384r1: 'ecdsa-with-SHA384',
  };
  return curves[key.asymmetricKeyDetails?.namedCurve ?? ''];
}

/** Like {@link signatureAlgorithmFor}. Throws `UNSUPPORTED_KEY` for other keys. */
export function requireSignatureAlgorithm(key: KeyObject): SignatureAlgorithm {
  const algorithm = signatureAlgorithmFor(key);
  if (algorithm) return algorithm;
  throw new MeshError('UNSUPPORTED_KEY', 'unsupported signing key: must be RSA, ECDSA P-256 or ECDSA P-384');
}

/** An AlgorithmIdentifier, with NULL parameters for RSA and none for ECDSA (RFC 4055 2.1, RFC 5758 3.2). */
export function encodeSignatureAlgorithm(algorithm: SignatureAlgorithm): Der {
  const {oid: id, keyType} = signatureAlgorithms[algorithm];
  return sequence(oid(id), ...(keyType === 'rsa' ? [derNull] : []));
}

/** The name of an AlgorithmIdentifier, or its dotted OID if it is unknown. Throws a plain Error. */
export function readSignatureAlgorithm(value: Der | undefined): string {
  const [identifier, parameters, ...rest] = readSequence(value, 'signature algorithm');
  const id = readOid(identifier, 'signature algorithm');
  if (rest.length > 0) throw new OutsideProfile('the signature algorithm has additional fields');
  if (id === pssOid) return pssName(parameters);
  const [name, {keyType}] = [...algorithms].find(([, {oid: known}]) => known === id) ?? [id, {}];
  // RFC 4055 2.1 and RFC 5758 3.2; BoringSSL (x_algor.cc, a_verify.cc) refuses others.
  const isUsual = keyType === 'rsa' ? isTag(parameters, tags.null) : parameters === undefined;
  if (keyType !== undefined && !isUsual) throw new OutsideProfile('the signature algorithm has unusual parameters');
  return name;
}

/** `rsassaPss` for the parameters that Go accepts, otherwise a distinct name. Throws a plain Error. */
function pssName(parameters: Der | undefined): string {
  const fields = parameters ? readSequence(parameters, 'RSASSA-PSS parameters') : [];
  const field = (tag: number): Der | undefined => {
    const wrapped = fields.find((one) => isContext(one, tag));
    return wrapped && childrenOf(wrapped, 'RSASSA-PSS parameters')[0];
  };
  const [hash, mask, salt, trailer] = [field(0), field(1), field(2), field(3)];
  // SHA-1 is the default hash.
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

/** A hash's OID, and whether its parameters are absent or NULL. */
function readHash(value: Der): readonly [string, boolean] {
  const [id, parameters] = readSequence(value, 'hash');
  return [readOid(id, 'hash'), parameters === undefined || isTag(parameters, tags.null)];
}
