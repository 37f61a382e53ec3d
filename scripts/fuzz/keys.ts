/**
 * Keys that are the same in every run, so that a case has the same bytes: elliptic-curve scalars and RSA primes are derived
 * from labels, and signatures use no random numbers. For tests only.
 */
import {constants, createECDH, createHash, createPrivateKey, createPublicKey, privateEncrypt, sign} from 'node:crypto';
import {byteLength, derive, fixed, greatestDivisor, inverse, power, prime} from './numbers.js';
import {bits, integer, nothing, octets, oid, sequence, tagged} from './der.js';

/** A key pair, as the elements that files and certificates contain. */
export interface Key {
  readonly kind: 'ec' | 'rsa' | 'other';
  /** SubjectPublicKeyInfo. */
  readonly spki: Buffer;
  /** PrivateKeyInfo (PKCS#8). */
  readonly pkcs8: Buffer;
  /** ECPrivateKey (SEC1) or RSAPrivateKey (PKCS#1), with its PEM label. */
  readonly traditional?: {readonly label: string; readonly der: Buffer};
  /** AlgorithmIdentifier of its signatures, with SHA-256. */
  readonly algorithm: Buffer;
  readonly sign: (message: Buffer, hash?: Hash) => Buffer;
}

export type Hash = 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** Orders of the curves' groups (SEC 2, RFC 5639), by OpenSSL's name. */
const curves = {
  prime256v1: ['1.2.840.10045.3.1.7', 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n],
  secp224r1: ['1.3.132.0.33', 0xffffffffffffffffffffffffffff16a2e0b8f03e13dd29455c5c2a3dn],
  secp256k1: ['1.3.132.0.10', 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n],
  secp384r1: [
    '1.3.132.0.34',
    0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  ],
  secp521r1: [
    '1.3.132.0.35',
    0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
  ],
  brainpoolP256r1: ['1.3.36.3.3.2.8.1.1.7', 0xa9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7n],
  brainpoolP384r1: [
    '1.3.36.3.3.2.8.1.1.11',
    0x8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b31f166e6cac0425a7cf3ab6af6b7fc3103b883202e9046565n,
  ],
} as const;

export type Curve = keyof typeof curves;

export const ecPublicKey = oid('1.2.840.10045.2.1');
export const rsaEncryption = oid('1.2.840.113549.1.1.1');
export const rsaPss = oid('1.2.840.113549.1.1.10');

const cache = new Map<string, Key>();

function cached(name: string, create: () => Key): Key {
  const known = cache.get(name);
  if (known !== undefined) return known;
  const key = create();
  cache.set(name, key);
  return key;
}

/** The curve's AlgorithmIdentifier parameters. */
export const curveOid = (curve: Curve): Buffer => oid(curves[curve][0]);

/** An elliptic-curve key. */
export function ecKey(curve: Curve, label: string): Key {
  return cached(`ec ${curve} ${label}`, () => {
    const [, order] = curves[curve];
    const size = Math.ceil(order.toString(2).length / 8);
    const scalar = (derive(`ec ${curve} ${label}`, size + 8) % (order - 1n)) + 1n;
    const point = multiple(curve, scalar, size);
    const algorithm = sequence(ecPublicKey, curveOid(curve));
    const plain = [integer(1), octets(fixed(scalar, size))];
    return {
      kind: 'ec',
      spki: sequence(algorithm, bits(point)),
      pkcs8: sequence(integer(0), algorithm, octets(sequence(...plain, tagged(1, bits(point))))),
      traditional: {
        label: 'EC PRIVATE KEY',
        der: sequence(...plain, tagged(0, curveOid(curve)), tagged(1, bits(point))),
      },
      algorithm: signatureAlgorithm('ec', 'sha256'),
      sign: (message, hash = 'sha256') => ecdsa(curve, scalar, message, hash),
    };
  });
}

/** The uncompressed point scalar x G. */
function multiple(curve: Curve, scalar: bigint, size: number): Buffer {
  const ecdh = createECDH(curve);
  ecdh.setPrivateKey(fixed(scalar, size));
  return ecdh.getPublicKey();
}

/** ECDSA with a nonce derived from key and message, in the manner of RFC 6979. */
function ecdsa(curve: Curve, scalar: bigint, message: Buffer, hash: Hash): Buffer {
  const [, order] = curves[curve];
  const size = Math.ceil(order.toString(2).length / 8);
  const digest = createHash(hash).update(message).digest();
  const excess = Math.max(0, digest.length * 8 - order.toString(2).length);
  const z = BigInt(`0x${digest.toString('hex')}`) >> BigInt(excess);
  for (let attempt = 0; ; attempt += 1) {
    const k = derive(`nonce ${curve} ${String(scalar)} ${digest.toString('hex')} ${String(attempt)}`, size + 8) % order;
    if (k === 0n) continue;
    const point = multiple(curve, k, size);
    const r = BigInt(`0x${point.subarray(1, (point.length + 1) / 2).toString('hex')}`) % order;
    const s = (inverse(k, order) * (z + r * scalar)) % order;
    if (r !== 0n && s !== 0n) return sequence(integer(r), integer(s));
  }
}

/** The numbers of an RSA key. */
export interface RsaNumbers {
  readonly n: bigint;
  readonly e: bigint;
  readonly d: bigint;
  readonly p: bigint;
  readonly q: bigint;
  readonly dp: bigint;
  readonly dq: bigint;
  readonly qi: bigint;
}

/** An RSA key with a modulus of this many bits. */
export function rsaKey(size: number, label: string, exponent = 65537n): Key {
  return rsaKeyOf(rsaNumbers(size, label, exponent), `rsa ${String(size)} ${label} ${String(exponent)}`);
}

const numbersCache = new Map<string, RsaNumbers>();

/** The numbers of {@link rsaKey}. An exponent without an inverse gets the private exponent of 65537. */
export function rsaNumbers(size: number, label: string, exponent = 65537n): RsaNumbers {
  const name = `${String(size)} ${label} ${String(exponent)}`;
  const known = numbersCache.get(name);
  if (known !== undefined) return known;
  const half = Math.ceil(size / 2);
  const p = prime(half, `p ${label}`);
  const q = prime(size - half, `q ${label}`);
  const phi = (p - 1n) * (q - 1n);
  const d = inverse(greatestDivisor(exponent, phi) === 1n ? exponent : 65537n, phi);
  const numbers = {n: p * q, e: exponent, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p)};
  numbersCache.set(name, numbers);
  return numbers;
}

/** An RSA key of given numbers, which need not fit together. */
export function rsaKeyOf(numbers: RsaNumbers, name: string): Key {
  return cached(name, () => {
    const {n, e, d, p, q, dp, dq, qi} = numbers;
    const der = sequence(integer(0), ...[n, e, d, p, q, dp, dq, qi].map(integer));
    const algorithm = sequence(rsaEncryption, nothing);
    return {
      kind: 'rsa',
      spki: sequence(algorithm, bits(sequence(integer(n), integer(e)))),
      pkcs8: sequence(integer(0), algorithm, octets(der)),
      traditional: {label: 'RSA PRIVATE KEY', der},
      algorithm: signatureAlgorithm('rsa', 'sha256'),
      sign: (message, hash = 'sha256') => raw(numbers, der, pkcs1Padding(message, hash, byteLength(n))),
    };
  });
}

/** RSASSA-PSS parameters of this hash and salt length. */
export function pssParameters(hash: Hash, salt: number): Buffer {
  const algorithm = sequence(oid(hashes[hash].oid), nothing);
  return sequence(
    tagged(0, algorithm),
    tagged(1, sequence(oid('1.2.840.113549.1.1.8'), algorithm)),
    tagged(2, integer(salt)),
  );
}

/** A signature with RSASSA-PSS by an RSA key, with a constant salt (RFC 8017 section 9.1.1). */
export function pssSign(numbers: RsaNumbers, message: Buffer, hash: Hash, salt: number): Buffer {
  const size = byteLength(numbers.n - 1n);
  const length = hashes[hash].length;
  const constant = Buffer.alloc(salt, 7);
  const digest = createHash(hash).update(message).digest();
  const h = createHash(hash).update(Buffer.alloc(8)).update(digest).update(constant).digest();
  const block = Buffer.concat([Buffer.alloc(size - salt - length - 2), Buffer.from([1]), constant]);
  const mask = Buffer.concat(
    Array.from({length: Math.ceil(block.length / length)}, (_, index) => {
      return createHash(hash)
        .update(h)
        .update(Buffer.from([0, 0, 0, index]))
        .digest();
    }),
  );
  const masked = Buffer.from(block.map((byte, index) => byte ^ (mask[index] ?? 0)));
  const unused = size * 8 - (numbers.n.toString(2).length - 1);
  masked[0] = (masked[0] ?? 0) & (0xff >> unused);
  return raw(numbers, undefined, Buffer.concat([masked, h, Buffer.from([0xbc])]));
}

/** Ed25519, Ed448 or X25519, with a constant seed. */
export function edwardsKey(type: 'ed25519' | 'ed448' | 'x25519', label: string): Key {
  return cached(`${type} ${label}`, () => {
    const [number, size] = {ed25519: ['1.3.101.112', 32], ed448: ['1.3.101.113', 57], x25519: ['1.3.101.110', 32]}[
      type
    ] as [string, number];
    const algorithm = sequence(oid(number));
    const pkcs8 = sequence(integer(0), algorithm, octets(octets(fixed(derive(`${type} ${label}`, size), size))));
    const key = createPrivateKey({key: pkcs8, format: 'der', type: 'pkcs8'});
    return {
      kind: 'other',
      spki: createPublicKey(key).export({format: 'der', type: 'spki'}),
      pkcs8,
      algorithm,
      // X25519 cannot sign; its self-signed certificate carries garbage.
      sign: (message) => (type === 'x25519' ? Buffer.alloc(64, 1) : sign(null, message, key)),
    };
  });
}

/** A DSA key of numbers that only look like one; its signatures are garbage. */
export function dsaKey(): Key {
  const [p, q, g, y] = [1024, 160, 1024, 1024].map((size, index) => derive(`dsa ${String(index)}`, size / 8) | 1n);
  const algorithm = sequence(oid('1.2.840.10040.4.1'), sequence(integer(p ?? 1n), integer(q ?? 1n), integer(g ?? 1n)));
  return {
    kind: 'other',
    spki: sequence(algorithm, bits(integer(y ?? 1n))),
    pkcs8: sequence(integer(0), algorithm, octets(integer(3n))),
    algorithm: sequence(oid('2.16.840.1.101.3.4.3.2')),
    sign: () => sequence(integer(1), integer(1)),
  };
}

const hashes = {
  md5: {oid: '1.2.840.113549.2.5', length: 16},
  sha1: {oid: '1.3.14.3.2.26', length: 20},
  sha256: {oid: '2.16.840.1.101.3.4.2.1', length: 32},
  sha384: {oid: '2.16.840.1.101.3.4.2.2', length: 48},
  sha512: {oid: '2.16.840.1.101.3.4.2.3', length: 64},
} as const;

const signatureOids = {
  rsa: {
    md5: '1.2.840.113549.1.1.4',
    sha1: '1.2.840.113549.1.1.5',
    sha256: '1.2.840.113549.1.1.11',
    sha384: '1.2.840.113549.1.1.12',
    sha512: '1.2.840.113549.1.1.13',
  },
  ec: {
    md5: '1.2.840.10045.4.1',
    sha1: '1.2.840.10045.4.1',
    sha256: '1.2.840.10045.4.3.2',
    sha384: '1.2.840.10045.4.3.3',
    sha512: '1.2.840.10045.4.3.4',
  },
} as const;

/** AlgorithmIdentifier of a signature; `parameters` replaces NULL (RSA) or nothing (ECDSA). */
export function signatureAlgorithm(kind: 'rsa' | 'ec', hash: Hash, parameters?: Buffer): Buffer {
  const usual = kind === 'rsa' ? nothing : Buffer.alloc(0);
  return sequence(oid(signatureOids[kind][hash]), parameters ?? usual);
}

function pkcs1Padding(message: Buffer, hash: Hash, size: number): Buffer {
  const digest = createHash(hash).update(message).digest();
  const info = sequence(sequence(oid(hashes[hash].oid), nothing), octets(digest));
  const padding = Buffer.alloc(Math.max(0, size - info.length - 3), 0xff);
  return Buffer.concat([Buffer.from([0, 1]), padding, Buffer.from([0]), info]);
}

/** The RSA operation with the private key. OpenSSL computes it if it accepts the key. */
function raw({n, e, d}: RsaNumbers, pkcs1: Buffer | undefined, block: Buffer): Buffer {
  const size = byteLength(n);
  if (pkcs1 !== undefined && e === 65537n) {
    try {
      const key = createPrivateKey({key: pkcs1, format: 'der', type: 'pkcs1'});
      return privateEncrypt({key, padding: constants.RSA_NO_PADDING}, block);
    } catch {
      // A key that OpenSSL rejects: computed below.
    }
  }
  return fixed(power(BigInt(`0x${block.toString('hex')}`) % n, d, n), size);
}
