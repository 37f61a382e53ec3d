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

/** The first entries of a list, and the number of the others. */
export function some(names: readonly string[], atMost = 5): string {
  const rest = names.length - atMost;
  return names.slice(0, atMost).join(', ') + (rest > 0 ? ` and ${String(rest)} more` : '');
}

/** `2027-03-01`. */
export function describeDay(date: Date): string {
  return date.toISOString().slice(0, 10);
}

/** `2027-03-01 12:05 UTC`. */
export function describeMoment(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
