/** The certificates of one PEM block, under every label that CAs and openssl write certificates with. */
import {readBer} from '../asn1/ber.js';
import {type Certificate, parseCertificate} from './certificate.js';
import type {PemBlock} from '../asn1/pem.js';
import {isPkcs7, readPkcs7} from '../asn1/pkcs7.js';

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
    return readBer(bytes).whole;
  } catch {
    // The parser says what is wrong with them.
    return bytes;
  }
}
