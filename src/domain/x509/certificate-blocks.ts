/** The certificates of one PEM block, under every label that CAs and openssl write certificates with. */
import {childrenOf, decodeBer, encodeDer, isContext, isTag, readSequence, readSet, tags} from '../asn1/der.js';
import type {PemBlock} from '../asn1/pem.js';
import {asMeshError, MeshError} from '../errors.js';
import {type Certificate, parseCertificate} from './certificate.js';

/**
 * Labels besides CERTIFICATE (openssl/openssl include/openssl/pem.h): the old one of Netscape's time, `openssl x509 -trustout`
 * (which adds its own bytes behind the certificate), and the three of PKCS#7.
 */
const otherLabels = ['X509 CERTIFICATE', 'TRUSTED CERTIFICATE', 'PKCS7', 'CMS', 'PKCS #7 SIGNED DATA'];

/** Whether a block holds certificates in a form that istiod, which reads `CERTIFICATE` only, passes over. */
export function isOtherCertificateLabel(label: string): boolean {
  return otherLabels.includes(label);
}

/**
 * The block's certificates; undefined for a block of another kind. Microsoft's tools label PKCS#7 as CERTIFICATE, too, so
 * the bytes decide. Throws `NOT_A_CERTIFICATE`.
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
    // The parser says what is wrong with them.
    return bytes;
  }
}

/** Whether a SEQUENCE, with a length of any form, begins with these bytes. */
function beginsWith(bytes: Buffer, hex: string): boolean {
  const [tag, length = 0] = bytes;
  const start = length > 0x80 ? 2 + (length & 0x7f) : 2;
  return tag === 0x30 && bytes.subarray(start).toString('hex', 0, hex.length / 2) === hex;
}

/** Whether these bytes are a PKCS#7 ContentInfo of signed data (id-signedData), whatever may be wrong inside. */
export function isPkcs7(bytes: Buffer): boolean {
  return beginsWith(bytes, '06092a864886f70d010702');
}

/** PFX (RFC 7292 4): version 3, then an object identifier inside a SEQUENCE; a certificate has no integer there. */
export function isPkcs12(bytes: Buffer): boolean {
  return beginsWith(bytes, '02010330');
}

/**
 * The certificates of a PKCS#7 as CAs return chains in (.p7b, .p7c; `openssl crl2pkcs7`, Microsoft's certsrv; RFC 2315 9.1,
 * RFC 5652 5.1), each byte for byte as it stands there. Signatures are not looked at: each certificate is verified for what
 * it is. `what` names the bytes in messages. Throws `NOT_A_CERTIFICATE`.
 */
export function readPkcs7(bytes: Buffer, what: string): readonly Buffer[] {
  try {
    const [, wrapped] = readSequence(decodeBer(bytes), 'PKCS#7');
    // version, digestAlgorithms, contentInfo, [0] certificates, [1] crls, signerInfos.
    const [version, digests, , certificates] = readSequence(childrenOf(wrapped, 'content')[0], 'SignedData');
    if (!isTag(version, tags.integer)) throw new Error('it is not SignedData');
    readSet(digests, 'digest algorithms');
    if (!isContext(certificates, 0)) throw new Error('it holds no certificates');
    let at = 0;
    // Other choices than a certificate (attribute certificates, other formats) have context tags.
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
