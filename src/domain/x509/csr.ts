/** PKCS#10 certification requests (RFC 2986) from a cluster to an external CA. */
import {readPublicKey} from '../keys/public-key.js';
import {MeshError} from '../errors.js';
import {encodeSignatureAlgorithm, readSignatureAlgorithm, signatureAlgorithms, verifiesWith} from './algorithms.js';
import {keyIdentifier, type Signer} from './certificate.js';
import {
  bitString,
  childrenOf,
  decodeDer,
  type Der,
  encodeDer,
  explicit,
  integer,
  isContext,
  oid,
  readBitString,
  readDer,
  readOid,
  readSequence,
  readSet,
  readSmallInteger,
  sequence,
  set,
} from '../asn1/der.js';
import {encodeExtensions} from './extensions.js';
import {readExtensions} from './read-extensions.js';
import {describeKey, type KeyDescription, spkiHash} from '../keys/keys.js';
import {encodePem, parsePem} from '../asn1/pem.js';
import {encodeName, type Name, readName} from './name.js';
import {caKeyUsage, clusterCaName} from './profile.js';

/** extensionRequest (RFC 2985 5.4.2): the requested extensions. */
const extensionRequest = '1.2.840.113549.1.9.14';

/**
 * A cluster CA's request as DER: the subject, and the extensions that istiod needs: CA with path length 0, key usages, and
 * the key identifier. Signed with the cluster's own key, as proof of possession.
 */
export async function clusterCaRequest(cluster: string, key: Signer): Promise<Buffer> {
  const info = sequence(
    integer(0),
    encodeName(clusterCaName(cluster)),
    decodeDer(key.publicKey.export({type: 'spki', format: 'der'})),
    // [0] IMPLICIT SET OF Attribute has the same encoding as [0] around its only attribute.
    explicit(
      0,
      sequence(
        oid(extensionRequest),
        set(
          encodeExtensions({
            basicConstraints: {ca: true, pathLength: 0},
            keyUsage: caKeyUsage,
            subjectKeyId: keyIdentifier(key.publicKey),
          }),
        ),
      ),
    ),
  );
  const bytes = encodeDer(info);
  const signature = await key.sign(bytes);
  return encodeDer(sequence(decodeDer(bytes), encodeSignatureAlgorithm(key.algorithm), bitString(signature)));
}

/** The request as PEM (RFC 7468 7). */
export function requestPem(der: Buffer): string {
  return encodePem('CERTIFICATE REQUEST', der);
}

/** A parsed request. */
export interface CertificationRequest {
  readonly subject: Name;
  readonly key: KeyDescription;
  /** SHA-256 of the SubjectPublicKeyInfo, equal to the private key's. */
  readonly spki: string;
}

/** An attribute (RFC 2986 4.1); requested extensions must be valid. */
function readAttribute(attribute: Der): void {
  const [type, values, ...rest] = readSequence(attribute, 'attribute');
  const [first, ...others] = readSet(values, 'attribute');
  if (readOid(type, 'attribute') !== extensionRequest) return;
  if (rest.length + others.length > 0) throw new Error('the requested extensions are not valid');
  readExtensions(first);
}

/**
 * Parses the PEM of a request. Throws `NOT_PEM`, and `NOT_A_CERTIFICATE` for anything other than a request, or one that is
 * not signed with its own key, which no CA accepts.
 */
export function parseRequest(text: string, what: string): CertificationRequest {
  const {blocks} = parsePem(text, what);
  const [block] = blocks;
  const isRequest = /^(?:NEW )?CERTIFICATE REQUEST$/.test(block?.label ?? '');
  if (blocks.length !== 1 || !block || !isRequest || Object.keys(block.headers).length > 0) {
    throw new MeshError('NOT_A_CERTIFICATE', `${what}: contains no certificate request`);
  }
  return readDer(block.bytes, 'NOT_A_CERTIFICATE', what, (value) => {
    const [info, algorithm, signature, ...rest] = readSequence(value, 'request');
    const [version, subject, publicKeyInfo, attributes, ...others] = readSequence(info, 'request information');
    const isComplete = info && publicKeyInfo && isContext(attributes, 0) && rest.length + others.length === 0;
    if (!isComplete || readSmallInteger(version, 'version') !== 0) throw new Error('the request is incomplete');
    const publicKey = readPublicKey(publicKeyInfo);
    const name = readSignatureAlgorithm(algorithm);
    const {bytes, unused} = readBitString(signature, 'signature');
    if (unused !== 0) throw new Error('the signature does not end at a byte');
    childrenOf(attributes, 'attributes').forEach(readAttribute);
    if (!(name in signatureAlgorithms) || !verifiesWith(name, encodeDer(info), publicKey, bytes)) {
      throw new Error('the request is not signed with its own key');
    }
    return {subject: readName(subject, 'subject'), key: describeKey(publicKey), spki: spkiHash(publicKey)};
  });
}
