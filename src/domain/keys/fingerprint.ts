/** SHA-256 fingerprints: 64 lower-case hexadecimal digits in data, colons and upper case for people to compare. */
import {createHash, type KeyObject} from 'node:crypto';

/** SHA-256 as lower-case hexadecimal. */
export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** SHA-256 of a key's SubjectPublicKeyInfo: the same for a private key and every certificate of it. */
export function spkiHash(publicKey: KeyObject): string {
  return sha256Hex(publicKey.export({type: 'spki', format: 'der'}));
}

/** `AB:CD:…`, as `openssl x509 -fingerprint -sha256` prints it. */
export function formatFingerprint(hex: string): string {
  return (hex.toUpperCase().match(/.{2}/g) ?? []).join(':');
}

/** The first eight bytes, for tables: enough to tell certificates apart, not to prove them equal. */
export function shortFingerprint(hex: string): string {
  return formatFingerprint(hex.slice(0, 16));
}
