/** PKCS#10 certification requests (RFC 2986), as a cluster sends them to a CA elsewhere. */
import type {KeyObject} from 'node:crypto';
import {encodeSignatureAlgorithm} from './algorithms.js';
import {keyIdentifier} from './certificate.js';
import {bitString, decodeDer, encodeDer, explicit, integer, oid, sequence, set} from './der.js';
import {encodeExtensions} from './extensions.js';
import {encodePem} from './pem.js';
import {encodeName} from './name.js';
import {caKeyUsage, clusterCaName} from './profile.js';
import type {Signer} from './signer.js';

/** extensionRequest (RFC 2985 5.4.2): the extensions that the certificate shall have. */
const extensionRequest = '1.2.840.113549.1.9.14';

/**
 * A request for a cluster's CA as DER: its subject, and what istiod needs of the certificate: CA with path length 0, the
 * key usages, the key identifier. Signed with the cluster's own key, which proves that it is there.
 */
export async function clusterCaRequest(cluster: string, key: Signer): Promise<Buffer> {
  const info = sequence(
    integer(0),
    encodeName(clusterCaName(cluster)),
    decodeDer(spki(key.publicKey)),
    // [0] IMPLICIT SET OF Attribute: encoded like [0] around its only attribute.
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

/** The request as PEM, as openssl and every CA read it (RFC 7468 7). */
export function requestPem(der: Buffer): string {
  return encodePem('CERTIFICATE REQUEST', der);
}

function spki(key: KeyObject): Buffer {
  return key.export({type: 'spki', format: 'der'});
}
