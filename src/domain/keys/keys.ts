/** Key pairs: their algorithms and names. Making them is `signers/keys.ts`, private keys as texts are `private-key.ts`. */
import {createHash, createPublicKey, type KeyObject} from 'node:crypto';

/** Key algorithms for CA keys, by the name used in mesh.yaml and `--key-algorithm`. */
export const keyAlgorithms = ['rsa-2048', 'rsa-3072', 'rsa-4096', 'ecdsa-p256', 'ecdsa-p384'] as const;
export type KeyAlgorithm = (typeof keyAlgorithms)[number];

/** node:crypto's names of the curves that Go's crypto/ecdsa has, with Istio's and NIST's. */
const curves: Readonly<Record<string, string>> = {
  secp224r1: 'p224',
  prime256v1: 'p256',
  secp384r1: 'p384',
  secp521r1: 'p521',
};

/** What kind of key this is. */
export interface KeyDescription {
  /** `rsa-4096`, `ecdsa-p256`, `ed25519`, …: the spelling of mesh.yaml where mesh.yaml has it. */
  readonly name: string;
  readonly type: 'rsa' | 'ecdsa' | 'ed25519' | 'other';
  /** RSA modulus length. */
  readonly bits?: number;
  /** Whether Go's crypto/x509 (so istiod) can use a key of this type and curve at all. */
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

/** The public half of a private key; a public key as it is. */
export function publicHalf(key: KeyObject): KeyObject {
  return key.type === 'private' ? createPublicKey(key) : key;
}

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
