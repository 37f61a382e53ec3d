/**
 * X.509 v3 certificates (RFC 5280): a parsed value, and the two pure steps that make one, `toBeSigned` and `seal`,
 * between which a signer of any kind signs bytes.
 */
import {createHash, type KeyObject, X509Certificate} from 'node:crypto';
import {MeshError} from '../errors.js';
import {encodeSignatureAlgorithm, readSignatureAlgorithm, type SignatureAlgorithm} from './algorithms.js';
import {
  bitString,
  childrenOf,
  decodeDer,
  type Der,
  encodeDer,
  explicit,
  integer,
  isContext,
  readBitString,
  readDer,
  readInteger,
  readSequence,
  readSmallInteger,
  readTime,
  sequence,
  time,
} from '../asn1/der.js';
import {encodeExtensions, type Extensions, type ExtensionsTemplate, readExtensions} from './extensions.js';
import {describeKey, type KeyDescription, sha256Hex, spkiHash} from '../keys/keys.js';
import {encodeName, type Name, type NameTemplate, readName} from './name.js';
import {encodePem, parsePem} from '../asn1/pem.js';

/** A certificate, parsed. */
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
  /** By name (`sha256WithRSAEncryption`), or dotted where it has none here. */
  readonly signatureAlgorithm: string;
  readonly publicKey: KeyObject;
  readonly key: KeyDescription;
  /** SHA-256 of the SubjectPublicKeyInfo: equal to the private key's. */
  readonly spki: string;
  readonly extensions: Extensions;
  /** Subject and issuer are the same name and the signature verifies with its own key. */
  readonly selfSigned: boolean;
  /** Whether this certificate's signature verifies with that key. Uses node:crypto, never our own codec. */
  signedBy(key: KeyObject): boolean;
}

/** Reads one DER certificate. `what` names it in messages. Throws `NOT_A_CERTIFICATE`. */
export function parseCertificate(der: Uint8Array, what: string): Certificate {
  const bytes = Buffer.from(der);
  const fields = readDer(bytes, 'NOT_A_CERTIFICATE', what, readFields);
  const x509 = openWith(() => new X509Certificate(bytes), what, 'OpenSSL cannot read the certificate');
  const publicKey = openWith(() => x509.publicKey, what, "the certificate's public key cannot be read");
  const signedBy = (key: KeyObject): boolean => verifies(x509, key);
  return {
    ...fields,
    der: bytes,
    pem: encodePem('CERTIFICATE', bytes),
    fingerprint: sha256Hex(bytes),
    publicKey,
    key: describeKey(publicKey),
    spki: spkiHash(publicKey),
    selfSigned: fields.subject.der.equals(fields.issuer.der) && signedBy(publicKey),
    signedBy,
  };
}

type Fields = Omit<
  Certificate,
  'der' | 'pem' | 'fingerprint' | 'publicKey' | 'key' | 'spki' | 'selfSigned' | 'signedBy'
>;

function readFields(value: Der): Fields {
  const [tbs, outerAlgorithm, signature, ...rest] = readSequence(value, 'certificate');
  if (rest.length > 0) throw new Error('there is more in the certificate than its three parts');
  readBitString(signature, 'signature');
  const parts = [...readSequence(tbs, 'to-be-signed part')];
  const versionField = isContext(parts[0], 0) ? parts.shift() : undefined;
  const version = versionField ? readSmallInteger(childrenOf(versionField, 'version')[0], 'version') + 1 : 1;
  const [serial, innerAlgorithm, issuer, validity, subject, , ...optional] = parts;
  if (!innerAlgorithm || !outerAlgorithm || !encodeDer(innerAlgorithm).equals(encodeDer(outerAlgorithm))) {
    // RFC 5280 4.1.1.2; Go refuses such a certificate.
    throw new Error('the two signature algorithms of the certificate differ');
  }
  const [notBefore, notAfter] = readSequence(validity, 'validity');
  const extensions = optional.find((field) => isContext(field, 3));
  return {
    version,
    serial: readInteger(serial, 'serial number')
      .toString('hex')
      .replace(/^(?:00)+(?=.)/, ''),
    signatureAlgorithm: readSignatureAlgorithm(outerAlgorithm),
    issuer: readName(issuer, 'issuer'),
    notBefore: readTime(notBefore, 'not before'),
    notAfter: readTime(notAfter, 'not after'),
    subject: readName(subject, 'subject'),
    extensions: readExtensions(extensions && childrenOf(extensions, 'extensions')[0]),
  };
}

function openWith<T>(open: () => T, what: string, fault: string): T {
  try {
    return open();
  } catch (thrown) {
    throw new MeshError('NOT_A_CERTIFICATE', `${what}: ${fault}`, {cause: thrown});
  }
}

function verifies(x509: X509Certificate, key: KeyObject): boolean {
  try {
    return x509.verify(key);
  } catch {
    // A key of another type than the signature: OpenSSL throws instead of answering no.
    return false;
  }
}

/** A PEM text of certificates. */
export interface CertificateText {
  readonly certificates: readonly Certificate[];
  readonly hasOtherText: boolean;
  readonly hasCarriageReturns: boolean;
}

/**
 * Every certificate of a PEM text, in order. Throws `NOT_PEM`, and `NOT_A_CERTIFICATE` when a block is something else.
 */
export function parseCertificates(text: string, what: string): CertificateText {
  const {blocks, hasOtherText, hasCarriageReturns} = parsePem(text, what);
  const certificates = blocks.map((block, index) => {
    const where = blocks.length === 1 ? what : `${what} (block ${String(index + 1)})`;
    if (block.label !== 'CERTIFICATE') {
      throw new MeshError('NOT_A_CERTIFICATE', `${where}: holds a ${block.label.toLowerCase()}, not a certificate`);
    }
    return parseCertificate(block.bytes, where);
  });
  return {certificates, hasOtherText, hasCarriageReturns};
}

/**
 * The certificates of a text as Go's pem.Decode and CertPool find them: blocks that cannot be read are passed over in
 * silence. Empty when the first block is already one of those. For judging what istiod makes of a broken text.
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

/** Everything that is decided before signing. */
export interface CertificateTemplate {
  /** Random bytes, most significant first; see {@link serialBytes}. */
  readonly serial: Uint8Array;
  readonly subject: NameTemplate;
  /** The issuer's encoded name, taken over byte for byte; absent for self-signed. */
  readonly issuer?: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: KeyObject;
  readonly extensions: ExtensionsTemplate;
  /** Fixed by the signing key, and part of what is signed. */
  readonly signatureAlgorithm: SignatureAlgorithm;
}

/** How many random bytes a serial number wants: 128 bits, of which RFC 5280 4.1.2.2 allows up to 159. */
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

/** RFC 5280 4.1.2.2: positive, never zero. The lowest bit costs one bit of randomness. */
function positiveSerial(random: Uint8Array): Buffer {
  const serial = Buffer.from(random);
  const last = serial.length - 1;
  serial[last] = (serial[last] ?? 0) | 1;
  return serial;
}

/** Puts signed bytes and signature together to a certificate's DER. */
export function assembleCertificate(tbs: Buffer, algorithm: SignatureAlgorithm, signature: Uint8Array): Buffer {
  return encodeDer(sequence(decodeDer(tbs), encodeSignatureAlgorithm(algorithm), bitString(signature)));
}

/**
 * The key identifier of RFC 5280 4.2.1.2 (1): SHA-1 of the subject public key without its algorithm. An identifier, not
 * a protection; every verifier computes or compares this one.
 */
export function keyIdentifier(publicKey: KeyObject): Buffer {
  const spki = decodeDer(publicKey.export({type: 'spki', format: 'der'}));
  const {bytes} = readBitString(readSequence(spki, 'public key')[1], 'public key');
  return createHash('sha1').update(bytes).digest();
}

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
  return parseCertificate(assembleCertificate(tbs, template.signatureAlgorithm, signature), what);
}
