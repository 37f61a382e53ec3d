import type {SecretObject} from '../kube/objects.js';

/**
 * The root that istiod made for itself (Secret istio-ca-secret), as PEM; undefined: none. Only the certificate: the key beside
 * it is the root's.
 */
export function selfSignedCertificate(secret: SecretObject | undefined): string | undefined {
  const encoded = secret?.data?.['ca-cert.pem'] ?? '';
  return encoded === '' ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}
