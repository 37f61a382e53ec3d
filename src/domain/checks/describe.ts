/** Texts of findings: short enough for a table, exact enough to compare with openssl's output. */
import {shortFingerprint} from '../keys/keys.js';
import type {CertificateFacts} from '../facts/facts.js';

/** `CN=Root CA, O=Istio (AB:CD:EF:01:23:45:67:89)`: the fingerprint's first eight bytes. */
export function describeCertificate({subject, fingerprint}: CertificateFacts): string {
  return `${subject} (${shortFingerprint(fingerprint)})`;
}

/** Roots by fingerprint, in a stable order. */
export function describeRoots(fingerprints: readonly string[]): string {
  if (fingerprints.length === 0) return 'no root';
  const list = [...fingerprints].sort().map(shortFingerprint).join(', ');
  return fingerprints.length === 1 ? `root ${list}` : `roots ${list}`;
}
