import type {Certificate} from '../../domain/x509/certificate.js';
import type {IssuedCertificate} from '../action.js';

/** What the journal and the report keep of a certificate that was issued. */
export function issuedCertificate(certificate: Certificate): IssuedCertificate {
  return {
    subject: certificate.subject.text,
    fingerprint: certificate.fingerprint,
    notAfter: certificate.notAfter.toISOString(),
    key: certificate.key.name,
  };
}
