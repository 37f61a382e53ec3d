/** The certificates in a PEM block, for every label that CAs and openssl use for certificates. */
import {childrenOf, decodeBer, encodeDer, isContext, isTag, readSequence, readSet, tags} from '../asn1/der.js';
import type {PemBlock} from '../asn1/pem.js';
import {asMeshError, MeshError} from '../errors.js';
import {type Certificate, parseCertificate} from './certificate.js';

/**
 * Labels other than CERTIFICATE (openssl/openssl include/openssl/pem.h): the legacy label of Netscape, `openssl x509
 * -trustout` (which appends its own bytes to the certificate), and the three of PKCS#7.
 */
const otherLabels = ['X509 CERTIFICATE', 'TRUSTED CERTIFICATE', 'PKCS7', 'CMS', 'PKCS #7 SIGNED DATA'];

/** Whether a block contains certificates under a label that istiod ignores: it reads only `CERTIFICATE`. */
export function isOtherCertificateLabel(label: string): boolean {
  return otherLabels.includes(label);
}

/**
 * The block's certificates; undefined for a block of another kind. Microsoft's tools also label PKCS#7 as CERTIFICATE, so
 * the content decides. Throws `NOT_A_CERTIFICATE`.
 */
export function certificatesOfBlock({label, bytes}: PemBlock, where: string): readonly Certificate[] | undefined {
  if (label !== 'CERTIFICATE' && !isOtherCertificateLabel(label)) return undefined;
  if (isPkcs7(bytes)) {
    return readPkcs7(bytes, where).map((der, index) =>
      parseCertificate(der, `${where} (certificate ${String(index + 1)})`),
    );
  }
  return [parseCertificate(label === 'TRUSTED CERTIFICATE' ? firstValue(bytes) : bytes, where)];
}

function firstValue(bytes: Buffer): Buffer {
  try {
    return bytes.subarray(0, encodeDer(decodeBer(bytes)).length);
  } catch {
    // The parser reports the error.
    return bytes;
  }
}

/** Whether the content of a SEQUENCE, with a length in any form, begins with these bytes. */
function beginsWith(bytes: Buffer, hex: string): boolean {
  const [tag, length = 0] = bytes;
  const start = length > 0x80 ? 2 + (length & 0x7f) : 2;
  return tag === 0x30 && bytes.subarray(start).toString('hex', 0, hex.length / 2) === hex;
}

/** Whether these bytes are a PKCS#7 ContentInfo of signed data (id-signedData); the content is not validated. */
export function isPkcs7(bytes: Buffer): boolean {
  return beginsWith(bytes, '06092a864886f70d010702');
}

/** Whether these bytes are a PFX (RFC 7292 4): version 3, then a SEQUENCE; a certificate has no integer there. */
export function isPkcs12(bytes: Buffer): boolean {
  return beginsWith(bytes, '02010330');
}

/**
 * The certificates in a PKCS#7, in which some CAs return chains (.p7b, .p7c; `openssl crl2pkcs7`, Microsoft's certsrv;
 * RFC 2315 9.1, RFC 5652 5.1), byte for byte. The PKCS#7's own signatures are ignored: each certificate is verified by
 * itself. `what` names the bytes in messages. Throws `NOT_A_CERTIFICATE`.
 */
export function readPkcs7(bytes: Buffer, what: string): readonly Buffer[] {
  try {
    const [, wrapped] = readSequence(decodeBer(bytes), 'PKCS#7');
    // version, digestAlgorithms, contentInfo, [0] certificates, [1] crls, signerInfos.
    const [version, digests, , certificates] = readSequence(childrenOf(wrapped, 'content')[0], 'SignedData');
    if (!isTag(version, tags.integer)) throw new Error('it is not SignedData');
    readSet(digests, 'digest algorithms');
    if (!isContext(certificates, 0)) throw new Error('it contains no certificates');
    let at = 0;
    // Entries other than certificates (attribute certificates, other formats) have context tags.
    return childrenOf(certificates, 'certificates')
      .filter((one) => isTag(one, tags.sequence))
      .map((one) => {
        const der = encodeDer(one);
        at = bytes.indexOf(der, at);
        if (at === -1) throw new Error('a certificate in it is not DER');
        return der;
      });
  } catch (thrown) {
    throw new MeshError('NOT_A_CERTIFICATE', `${what}: the PKCS#7 cannot be read: ${asMeshError(thrown).message}`, {
      cause: thrown,
    });
  }
}
