/** The NIST curves (FIPS 186-4 D.1.2), and whether a point is on one: the curves of Go's crypto/ecdsa and BoringSSL. */

/** A curve y² = x³ - 3x + b over the integers modulo p. */
export interface Curve {
  /** As in mesh.yaml: `p256`. */
  readonly name: string;
  /** The size of a coordinate in bytes. */
  readonly size: number;
  readonly p: bigint;
  readonly b: bigint;
  /** The order of the base point. */
  readonly n: bigint;
}

/** The curves by their object identifiers (RFC 5480 2.1.1.1). */
export const curves: ReadonlyMap<string, Curve> = new Map([
  [
    '1.3.132.0.33',
    {
      name: 'p224',
      size: 28,
      p: 2n ** 224n - 2n ** 96n + 1n,
      b: 0xb4050a850c04b3abf54132565044b0b7d7bfd8ba270b39432355ffb4n,
      n: 0xffffffffffffffffffffffffffff16a2e0b8f03e13dd29455c5c2a3dn,
    },
  ],
  [
    '1.2.840.10045.3.1.7',
    {
      name: 'p256',
      size: 32,
      p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
      b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
      n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    },
  ],
  [
    '1.3.132.0.34',
    {
      name: 'p384',
      size: 48,
      p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
      b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
      n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    },
  ],
  [
    '1.3.132.0.35',
    {
      name: 'p521',
      size: 66,
      p: 2n ** 521n - 1n,
      b: 0x0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
      n: 0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
    },
  ],
]);

/** Bytes as an integer, most significant first. */
export function bigintOf(bytes: Uint8Array): bigint {
  return BigInt(`0x0${Buffer.from(bytes).toString('hex')}`);
}

/**
 * Why bytes are not an uncompressed point of the curve (SEC 1 2.3.4), the only form that Go reads (crypto/ecdsa,
 * ParseUncompressedPublicKey); undefined if they are.
 */
export function pointFault(curve: Curve, bytes: Buffer): string | undefined {
  if (bytes.length === 1 && bytes[0] === 0) return 'the public key is the point at infinity';
  if (bytes[0] === 2 || bytes[0] === 3) return 'the public key is a compressed point';
  if (bytes[0] !== 4 || bytes.length !== 1 + 2 * curve.size) return 'the public key is not an uncompressed point';
  const [x, y] = [bytes.subarray(1, 1 + curve.size), bytes.subarray(1 + curve.size)].map(bigintOf);
  const {p, b} = curve;
  if (x === undefined || y === undefined || x >= p || y >= p || (y * y - (x * x * x - 3n * x + b)) % p !== 0n) {
    return 'the public key is not a point of its curve';
  }
  return undefined;
}
