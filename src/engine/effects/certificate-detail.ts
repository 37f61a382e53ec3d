import type {Certificate} from '../../domain/pki/certificate.js';
import type {Detail} from '../operation.js';

/** What the journal and the report keep of a certificate that was issued. */
export function certificateDetail(certificate: Certificate): Detail {
  return {
    subject: certificate.subject.text,
    fingerprint: certificate.fingerprint,
    notAfter: certificate.notAfter.toISOString(),
    key: certificate.key.name,
  };
}
