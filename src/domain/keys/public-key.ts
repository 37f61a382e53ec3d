/**
 * Reads SubjectPublicKeyInfo (RFC 5280 4.1.2.7). The only way for public keys of foreign origin to node:crypto: OpenSSL
 * reads more kinds of keys than istiod, and with the point at infinity, `asymmetricKeyDetails` aborts the process (Node 20
 * and 22).
 */
import {createPublicKey, type KeyObject} from 'node:crypto';
import {
  bitString,
  decodeDer,
  type Der,
  derNull,
  encodeDer,
  isTag,
  oid,
  OutsideProfile,
  readBitString,
  readDer,
  readInteger,
  readOid,
  readSequence,
  sequence,
  tags,
} from '../asn1/der.js';
import {curves, pointFault} from './curves.js';

/** Algorithms of keys (RFC 3279 2.3, RFC 5480 2.1.1, RFC 8410 3). */
export const keyOids = {rsa: '1.2.840.113549.1.1.1', ec: '1.2.840.10045.2.1', ed25519: '1.3.101.112'} as const;

/** Keys for which Go cannot verify signatures, or not even reads the certificate (crypto/x509 parser.go, parsePublicKey). */
export const refusedKeys: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.10': 'RSASSA-PSS',
  '1.2.840.113549.1.1.7': 'RSAES-OAEP',
  '1.2.840.10040.4.1': 'DSA',
  '1.2.840.10046.2.1': 'Diffie-Hellman',
  '1.3.101.110': 'X25519',
  '1.3.101.111': 'X448',
  '1.3.101.113': 'Ed448',
};

/** Curves whose names help in messages; Go reads none of them. */
export const otherCurves: Readonly<Record<string, string>> = {
  '1.3.132.0.10': 'secp256k1',
  '1.3.36.3.3.2.8.1.1.7': 'brainpoolP256r1',
  '1.3.36.3.3.2.8.1.1.11': 'brainpoolP384r1',
  '1.3.36.3.3.2.8.1.1.13': 'brainpoolP512r1',
  '1.2.156.10197.1.301': 'SM2',
};

/** The fields of a decoded key: an RSA modulus and exponent, or a curve's object identifier and a point. */
export type PublicKeyFields =
  | {readonly type: 'rsa'; readonly modulus: Buffer; readonly exponent: number}
  | {readonly type: 'ec'; readonly curve: string; readonly point: Buffer}
  | {readonly type: 'ed25519'; readonly bytes: Buffer};

/** The key of a decoded SubjectPublicKeyInfo. Throws a plain Error, or {@link OutsideProfile}. */
export function readPublicKey(value: Der | undefined): KeyObject {
  readPublicKeyFields(value);
  return createPublicKey({key: encodeDer(value ?? derNull), format: 'der', type: 'spki'});
}

/** The key of SubjectPublicKeyInfo as DER. Throws `NOT_A_KEY`, `NOT_PROVEN`. */
export function parsePublicKey(bytes: Uint8Array, what: string): KeyObject {
  return readDer(bytes, 'NOT_A_KEY', what, readPublicKey);
}

/** The key of an RSA public key in PKCS#1 (RFC 8017 A.1.1; PEM type `RSA PUBLIC KEY`). Throws `NOT_A_KEY`. */
export function parsePkcs1PublicKey(bytes: Uint8Array, what: string): KeyObject {
  return parsePublicKey(encodeDer(sequence(sequence(oid(keyOids.rsa), derNull), bitString(bytes))), what);
}

/** Like {@link readPublicKey}, without node:crypto. */
export function readPublicKeyFields(value: Der | undefined): PublicKeyFields {
  const [algorithm, bits, ...rest] = readSequence(value, 'public key');
  const [identifier, parameters, ...others] = readSequence(algorithm, 'algorithm of the public key');
  if (rest.length > 0 || others.length > 0) throw new Error('the public key has additional fields');
  const id = readOid(identifier, 'algorithm of the public key');
  const {bytes, unused} = readBitString(bits, 'public key');
  if (unused !== 0) throw new Error('the public key does not end at a byte');
  switch (id) {
    case keyOids.rsa:
      // RFC 3279 2.3.1; Go and BoringSSL refuse others.
      if (!isTag(parameters, tags.null)) throw new Error('the parameters of the RSA key are not NULL');
      return readRsa(bytes);
    case keyOids.ec:
      return {type: 'ec', ...readEc(parameters, bytes)};
    case keyOids.ed25519:
      if (parameters || bytes.length !== 32) throw new Error('the Ed25519 key is not valid');
      return {type: 'ed25519', bytes};
    default: {
      const name = refusedKeys[id];
      if (name !== undefined) throw new Error(`the key is ${name}, which istiod does not support`);
      throw new OutsideProfile(`the key's algorithm ${id} is unknown`);
    }
  }
}

/** Go (crypto/rsa) and BoringSSL (rsa_impl.cc, rsa_check_public_key) refuse other moduli and exponents when they verify. */
function readRsa(bytes: Buffer): PublicKeyFields {
  const [modulus, exponent, ...rest] = readSequence(decodeDer(bytes), 'RSA key');
  const n = readInteger(modulus, 'RSA modulus');
  const e = readInteger(exponent, 'RSA exponent');
  if (rest.length > 0) throw new Error('the RSA key has additional fields');
  return {type: 'rsa', modulus: rsaModulus(n), exponent: rsaExponent(e)};
}

/** Go's limit in TLS (crypto/tls handshake_client.go, checkKeySize): agents refuse istiod's chain with a larger key. */
const maxModulusBytes = 1024;

/** Checks an RSA modulus as two's complement bytes. Throws a plain Error. */
export function rsaModulus(integer: Buffer): Buffer {
  const [first = 0] = integer;
  const last = integer.at(-1) ?? 0;
  if (first >= 0x80 || last % 2 === 0) throw new Error('the RSA modulus is not a positive odd number');
  const modulus = first === 0 ? integer.subarray(1) : integer;
  if (modulus.length < 64) throw new Error('the RSA modulus has fewer than 512 bits');
  if (modulus.length > maxModulusBytes) throw new Error('the RSA modulus has more than 8192 bits');
  return modulus;
}

/** Checks an RSA exponent as two's complement bytes: odd, 3 to 2^31-1. Throws a plain Error. */
export function rsaExponent(integer: Buffer): number {
  const exponent = integer.length <= 4 ? integer.readIntBE(0, integer.length) : 0;
  if (exponent < 3 || exponent % 2 === 0) throw new Error('the RSA exponent is not an odd number from 3 to 2147483647');
  return exponent;
}

/** RFC 5480 2.1.1: the curve is named, and in certificates neither implicit nor explicit. */
function readEc(parameters: Der | undefined, point: Buffer): {readonly curve: string; readonly point: Buffer} {
  if (isTag(parameters, tags.sequence)) {
    throw new Error(
      'the key has explicit curve parameters, which istiod cannot read; "openssl pkey -ec_param_enc named_curve" names the curve',
    );
  }
  const curve = readOid(parameters, 'curve');
  const known = curves.get(curve);
  if (!known) throw new Error(`the key's curve is ${otherCurves[curve] ?? curve}, which istiod does not support`);
  const fault = pointFault(known, point);
  if (fault !== undefined) throw new Error(fault);
  return {curve, point};
}
