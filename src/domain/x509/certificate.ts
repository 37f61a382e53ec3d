/**
 * X.509 v3 certificates (RFC 5280): parses them, and creates them in two pure steps, `toBeSigned` and
 * `assembleCertificate`, between which a signer of any kind signs the bytes.
 */
import {createHash, type KeyObject, X509Certificate} from 'node:crypto';
import {MeshError} from '../errors.js';
import {encodeSignatureAlgorithm, readSignatureAlgorithm, type SignatureAlgorithm} from './algorithms.js';
import {
  bitString,
  childrenOf,
  decodeDer,
  type Der,
  derNull,
  encodeDer,
  explicit,
  integer,
  isContext,
  OutsideProfile,
  readBitString,
  readDer,
  readInteger,
  readSequence,
  readSmallInteger,
  RefusedByProxies,
  sequence,
  time,
} from '../asn1/der.js';
import {readTime} from '../asn1/text.js';
import {encodeExtensions, type Extensions, type ExtensionsTemplate} from './extensions.js';
import {readExtensions} from './read-extensions.js';
import {readPublicKey} from '../keys/public-key.js';
import {describeKey, type KeyDescription, sha256Hex} from '../keys/keys.js';
import {encodeName, type Name, type NameTemplate, readName} from './name.js';
import {encodePem, parsePem} from '../asn1/pem.js';
import {LatestResults} from '../memoize.js';

/** A parsed certificate. */
export interface Certificate {
  readonly der: Buffer;
  readonly pem: string;
  /** SHA-256 of the DER, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  readonly version: number;
  /** Lower-case hexadecimal, without leading zeros. */
  readonly serial: string;
  readonly subject: Name;
  readonly issuer: Name;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** By name (`sha256WithRSAEncryption`), or the dotted OID if it is unknown. */
  readonly signatureAlgorithm: string;
  readonly publicKey: KeyObject;
  readonly key: KeyDescription;
  /** SHA-256 of the SubjectPublicKeyInfo, equal to the private key's. */
  readonly spki: string;
  readonly extensions: Extensions;
  /** Whether subject and issuer are the same, and the signature verifies with the certificate's own key. */
  readonly selfSigned: boolean;
  /** Whether this certificate's signature verifies with a key, according to node:crypto. */
  signedBy(key: KeyObject): boolean;
}

/**
 * The latest parsed certificates. A mesh's roots and its cluster CAs are in Secrets, ConfigMaps, webhooks and handshakes of
 * every cluster, and OpenSSL 3 takes most of a millisecond for each. The number bounds the memory, not the mesh.
 */
const parsed = new LatestResults<Certificate>(512);

/**
 * Parses a DER certificate. `what` names it in messages. Throws `NOT_A_CERTIFICATE` for what istiod (Go's crypto/x509
 * parser.go) or proxies (BoringSSL x_x509.cc) refuse, and `NOT_PROVEN` for anything else outside the profile of RFC 5280
 * that this program understands.
 */
export function parseCertificate(der: Uint8Array, what: string): Certificate {
  const fingerprint = sha256Hex(der);
  return parsed.get(fingerprint, () => parseBytes(Buffer.from(der), fingerprint, what));
}

function parseBytes(bytes: Buffer, fingerprint: string, what: string): Certificate {
  const fields = readDer(bytes, 'NOT_A_CERTIFICATE', what, readFields);
  const {publicKey} = fields;
  // OpenSSL also verifies signatures that istiod does not support, which tells them from signatures by another key.
  const x509 = openX509(bytes, what);
  const signers = new WeakMap<KeyObject, boolean>();
  const signedBy = (key: KeyObject): boolean => {
    const answer = signers.get(key) ?? verifies(x509, key);
    signers.set(key, answer);
    return answer;
  };
  return {
    ...fields,
    der: bytes,
    pem: encodePem('CERTIFICATE', bytes),
    fingerprint,
    key: describeKey(publicKey),
    selfSigned: fields.subject.der.equals(fields.issuer.der) && signedBy(publicKey),
    signedBy,
  };
}

function openX509(bytes: Buffer, what: string): X509Certificate {
  try {
    return new X509Certificate(bytes);
  } catch (thrown) {
    throw new MeshError('NOT_A_CERTIFICATE', `${what}: OpenSSL cannot read the certificate`, {cause: thrown});
  }
}

function verifies(x509: X509Certificate, key: KeyObject): boolean {
  try {
    return x509.verify(key);
  } catch {
    // OpenSSL throws, instead of returning false, if key and signature have different types.
    return false;
  }
}

type CertificateFields = Omit<Certificate, 'der' | 'pem' | 'fingerprint' | 'key' | 'selfSigned' | 'signedBy'>;

function readFields(value: Der): CertificateFields {
  const [tbs, outerAlgorithm, signature, ...rest] = readSequence(value, 'certificate');
  if (rest.length > 0) throw new Error('the certificate has more than three fields');
  if (readBitString(signature, 'signature').unused !== 0)
    throw new OutsideProfile('the signature does not end at a byte');
  const parts = [...readSequence(tbs, 'to-be-signed part')];
  const version = readVersion(isContext(parts[0], 0) ? parts.shift() : undefined);
  const [serial, innerAlgorithm, issuer, validity, subject, publicKey, ...optional] = parts;
  if (!innerAlgorithm || !outerAlgorithm || !encodeDer(innerAlgorithm).equals(encodeDer(outerAlgorithm))) {
    // RFC 5280 4.1.1.2; Go refuses this, too.
    throw new Error('the two signature algorithms of the certificate differ');
  }
  const [notBefore, notAfter, ...otherTimes] = readSequence(validity, 'validity');
  if (otherTimes.length > 0) throw new OutsideProfile('the validity has additional fields');
  return {
    version,
    serial: readSerial(serial),
    signatureAlgorithm: readSignatureAlgorithm(outerAlgorithm),
    issuer: readName(issuer, 'issuer'),
    notBefore: readTime(notBefore, 'not before'),
    notAfter: readTime(notAfter, 'not after'),
    subject: readName(subject, 'subject'),
    publicKey: readPublicKey(publicKey),
    // The bytes that OpenSSL would export: the profile leaves one encoding of a key.
    spki: sha256Hex(encodeDer(publicKey ?? derNull)),
    extensions: readExtensions(extensionsField(optional, version)),
  };
}

/** v1 is the default, which DER omits. Only v3 (encoded as 2) has extensions; v2 is not used. */
function readVersion(field: Der | undefined): number {
  if (!field) return 1;
  const [number, ...rest] = childrenOf(field, 'version');
  const version = readSmallInteger(number, 'version') + 1;
  if (rest.length > 0 || version > 3) throw new Error('the version is not valid');
  if (version < 3) throw new OutsideProfile(`the version is ${String(version)}, stated explicitly`);
  return version;
}

/** The longest serial number with which istiod and proxies have been tested. */
const maxSerialBytes = 32;

/** RFC 5280 4.1.2.2: not negative, which Go refuses since 1.23 (x509negativeserial). More than its 20 bytes occur. */
function readSerial(value: Der | undefined): string {
  const serial = readInteger(value, 'serial number');
  if ((serial[0] ?? 0) >= 0x80) throw new Error('the serial number is negative');
  if (serial.length > maxSerialBytes) throw new OutsideProfile('the serial number is too long');
  return serial.toString('hex').replace(/^(?:00)+(?=.)/, '');
}

/** The extensions of a v3 certificate. BoringSSL refuses extensions in other versions; Go ignores them. */
function extensionsField(optional: readonly Der[], version: number): Der | undefined {
  const [field, ...rest] = optional;
  if (!field) return undefined;
  if (version !== 3) throw new RefusedByProxies(`the version is ${String(version)}, but it has extensions`);
  if (!isContext(field, 3) || rest.length > 0) throw new OutsideProfile('it has unique identifiers, or unknown fields');
  const [extensions, ...others] = childrenOf(field, 'extensions');
  if (!extensions || others.length > 0) throw new Error('the extensions are not valid');
  return extensions;
}

/** The certificates in a PEM text. */
export interface CertificateText {
  readonly certificates: readonly Certificate[];
  readonly hasOtherText: boolean;
  readonly hasCarriageReturns: boolean;
}

/** Every certificate in a PEM text, in order. Throws `NOT_PEM`, `NOT_A_CERTIFICATE` also for blocks of other types, and `NOT_PROVEN`. */
export function parseCertificates(text: string, what: string): CertificateText {
  const {blocks, hasOtherText, hasCarriageReturns} = parsePem(text, what);
  const certificates = blocks.map((block, index) => {
    const where = blocks.length === 1 ? what : `${what} (block ${String(index + 1)})`;
    if (Object.keys(block.headers).length > 0) {
      // Go's CertPool skips a block with headers (crypto/x509 cert_pool.go, AppendCertsFromPEM).
      throw new MeshError('NOT_A_CERTIFICATE', `${where}: the PEM block has headers: istiod skips it`);
    }
    if (block.label !== 'CERTIFICATE') {
      throw new MeshError('NOT_A_CERTIFICATE', `${where}: contains a ${block.label.toLowerCase()}, not a certificate`);
    }
    return parseCertificate(block.bytes, where);
  });
  return {certificates, hasOtherText, hasCarriageReturns};
}

/**
 * The certificates that Go's pem.Decode and CertPool find in a text: they silently skip unreadable blocks. Empty if the
 * first block is unreadable. Shows what istiod reads from a damaged text.
 */
export function readableCertificates(text: string, what: string): readonly Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const read = blocks.map((block): Certificate | undefined => {
    try {
      return parseCertificates(block, what).certificates[0];
    } catch {
      return undefined;
    }
  });
  return read[0] ? read.filter((one) => one !== undefined) : [];
}

/** The content of a certificate to be signed. */
export interface CertificateTemplate {
  /** Random bytes, most significant first; see {@link serialBytes}. */
  readonly serial: Uint8Array;
  readonly subject: NameTemplate;
  /** The issuer's encoded name, byte for byte; absent for a self-signed certificate. */
  readonly issuer?: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: KeyObject;
  readonly extensions: ExtensionsTemplate;
  /** Determined by the signing key, and part of the signed bytes. */
  readonly signatureAlgorithm: SignatureAlgorithm;
}

/** The number of random bytes in a serial number: 128 bits, of the 159 that RFC 5280 4.1.2.2 allows. */
export const serialBytes = 16;

/** The bytes that the issuer signs. */
export function toBeSigned(template: CertificateTemplate): Buffer {
  const subject = encodeName(template.subject);
  return encodeDer(
    sequence(
      explicit(0, integer(2)), // v3
      integer(positiveSerial(template.serial)),
      encodeSignatureAlgorithm(template.signatureAlgorithm),
      template.issuer ? decodeDer(template.issuer) : subject,
      sequence(time(template.notBefore), time(template.notAfter)),
      subject,
      decodeDer(template.publicKey.export({type: 'spki', format: 'der'})),
      explicit(3, encodeExtensions(template.extensions)),
    ),
  );
}

/** A positive, non-zero serial number (RFC 5280 4.1.2.2). Setting the lowest bit costs one bit of randomness. */
function positiveSerial(random: Uint8Array): Buffer {
  const serial = Buffer.from(random);
  const last = serial.length - 1;
  serial[last] = (serial[last] ?? 0) | 1;
  return serial;
}

/** Combines the signed bytes and the signature into a DER certificate. */
export function assembleCertificate(tbs: Buffer, algorithm: SignatureAlgorithm, signature: Uint8Array): Buffer {
  return encodeDer(sequence(decodeDer(tbs), encodeSignatureAlgorithm(algorithm), bitString(signature)));
}

/**
 * The key identifier of RFC 5280 4.2.1.2 (1): SHA-1 of the subject public key without its algorithm. SHA-1 serves only as an
 * identifier here; verifiers compute or compare this one.
 */
export function keyIdentifier(publicKey: KeyObject): Buffer {
  const spki = decodeDer(publicKey.export({type: 'spki', format: 'der'}));
  const {bytes} = readBitString(readSequence(spki, 'public key')[1], 'public key');
  return createHash('sha1').update(bytes).digest();
}

/** Signs with a private key. */
export interface Signer {
  readonly publicKey: KeyObject;
  readonly algorithm: SignatureAlgorithm;
  /** The signature of a message, DER for ECDSA. Throws `ISSUE_FAILED`, `SIGNER_REFUSED`, `SIGNER_UNAVAILABLE`, `INTERRUPTED`. */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/** A CA that can issue certificates: a signer with its certificate chain. */
export interface CertificateAuthority {
  readonly signer: Signer;
  readonly certificate: Certificate;
  /** The certificates above it up to the root; empty for a root. */
  readonly above: readonly Certificate[];
}

/** Signs a template and parses the result like a foreign certificate. `what` names it in messages. */
export async function issueCertificate(
  template: CertificateTemplate,
  signer: Signer,
  what: string,
): Promise<Certificate> {
  const tbs = toBeSigned(template);
  const signature = await signer.sign(tbs);
  return parseCertificate(assembleCertificate(tbs, template.signatureAlgorithm, signature), what);
}
