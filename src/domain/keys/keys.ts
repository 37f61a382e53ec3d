/** Key algorithms, names and fingerprints. `signers/keys.ts` generates keys; `private-key.ts` reads and writes them. */
import {createHash, createPublicKey, type KeyObject} from 'node:crypto';
import {memoizePerObject} from '../memoize.js';

/** Algorithms of CA keys, as in mesh.yaml and `--key-algorithm`. */
export const keyAlgorithms = ['rsa-2048', 'rsa-3072', 'rsa-4096', 'ecdsa-p256', 'ecdsa-p384'] as const;
export type KeyAlgorithm = (typeof keyAlgorithms)[number];

/** The curves of Go's crypto/ecdsa, by their names in node:crypto; the values follow NIST's names. */
const curves: Readonly<Record<string, string>> = {
  secp224r1: 'p224',
  prime256v1: 'p256',
  secp384r1: 'p384',
  secp521r1: 'p521',
};

/** The algorithm and size of a key. */
export interface KeyDescription {
  /** `rsa-4096`, `ecdsa-p256`, `ed25519`, …: as in mesh.yaml if the algorithm is valid there. */
  readonly name: string;
  readonly type: 'rsa' | 'ecdsa' | 'ed25519' | 'other';
  /** RSA modulus length. */
  readonly bits?: number;
  /** Whether Go's crypto/x509, and so istiod, supports this key type and curve. */
  readonly supportedByGo: boolean;
}

/** Describes a public or private key. */
export function describeKey(key: KeyObject): KeyDescription {
  const details = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa': {
      const bits = details.modulusLength ?? 0;
      return {name: `rsa-${String(bits)}`, type: 'rsa', bits, supportedByGo: true};
    }
    case 'ec': {
      const curve = curves[details.namedCurve ?? ''];
      return {
        name: `ecdsa-${curve ?? details.namedCurve ?? 'explicit'}`,
        type: 'ecdsa',
        supportedByGo: curve !== undefined,
      };
    }
    case 'ed25519':
      return {name: 'ed25519', type: 'ed25519', supportedByGo: true};
    default:
      return {name: key.asymmetricKeyType ?? 'unknown', type: 'other', supportedByGo: false};
  }
}

/** The public key of a private key; a public key is returned as it is. */
export const publicHalf = memoizePerObject((key: KeyObject): KeyObject => {
  return key.type === 'private' ? createPublicKey(key) : key;
});

/** SHA-256 as lower-case hexadecimal. */
export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** SHA-256 of a key's SubjectPublicKeyInfo: the same for a private key and each of its certificates. */
export const spkiHash = memoizePerObject((publicKey: KeyObject): string => {
  return sha256Hex(publicKey.export({type: 'spki', format: 'der'}));
});

/** `AB:CD:…`, as `openssl x509 -fingerprint -sha256` prints it. */
export function formatFingerprint(hex: string): string {
  return (hex.toUpperCase().match(/.{2}/g) ?? []).join(':');
}

/** The first eight bytes, for tables: they distinguish certificates, but do not prove them equal. */
export function shortFingerprint(hex: string): string {
  return formatFingerprint(hex.slice(0, 16));
}
