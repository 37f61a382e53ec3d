/** What lies in Secret cacerts, for those to whom more matters than the files that istiod reads. */
import type {CacertsContents} from '../../istio/hazards.js';
import type {KubeObject} from '../../kube/object.js';
import type {CacertsSecret} from '../../trust/cacerts.js';

/** Reads it from the Secret and from what was already made of it. Revocation lists are public: only they are decoded. */
export function cacertsContents({data}: KubeObject, {files, inspection}: CacertsSecret): CacertsContents {
  const encoded = (data ?? {}) as Readonly<Record<string, string>>;
  const revoked = Buffer.from(encoded['ca-crl.pem'] ?? '', 'base64').toString('utf8');
  const {certificate, chain = []} = inspection;
  return {
    keys: Object.keys(encoded),
    layout: files.layout ?? 'pem',
    chain: chain.map(({subject, selfSigned, extensions}) => ({
      subject: subject.text,
      selfSigned,
      // Without that extension a key may do anything (RFC 5280 section 4.2.1.3; Go's crypto/x509 agrees).
      signsCrls: extensions.keyUsage?.usages.includes('cRLSign') ?? true,
    })),
    ...(revoked !== '' && {crls: revoked.split('-----BEGIN X509 CRL-----').length - 1}),
    ...(certificate && {caEnd: certificate.notAfter}),
  };
}
