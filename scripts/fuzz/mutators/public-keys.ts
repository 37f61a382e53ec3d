/** Keys of certificates: curves, points, sizes, exponents, algorithms. */
import {bits, integer, nothing, octets, oid, sequence, tlv} from '../der.js';
import type {CertificateDraft} from '../certificate.js';
import {
  type Curve,
  curveOid,
  dsaKey,
  ecKey,
  ecPublicKey,
  edwardsKey,
  type Key,
  pssParameters,
  pssSign,
  rsaEncryption,
  rsaKey,
  rsaKeyOf,
  rsaNumbers,
  rsaPss,
} from '../keys.js';
import {keyMutator, type Mutator, publicKeyMutator} from './mutator.js';

const p256 = (): Key => ecKey('prime256v1', 'mutated');

/** The uncompressed point of an elliptic-curve key: what the BIT STRING of its public key contains. */
function pointOf({spki}: Key, curve: Curve): Buffer {
  const size = {prime256v1: 65, secp384r1: 97}[curve as 'prime256v1' | 'secp384r1'];
  return spki.subarray(spki.length - size);
}

function pointMutator(variant: string, change: (point: Buffer) => Buffer): Mutator {
  return publicKeyMutator(
    `point/${variant}`,
    ({key}) => sequence(sequence(ecPublicKey, curveOid('prime256v1')), bits(change(pointOf(key, 'prime256v1')))),
    p256,
  );
}

/** ECParameters of P-256 (SEC 1 C.2): the curve, written out. */
const explicitP256 = ((): Buffer => {
  const hex = (text: string): Buffer => Buffer.from(text, 'hex');
  const prime = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
  const generator = hex(
    '046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296' +
      '4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5',
  );
  return sequence(
    integer(1),
    sequence(oid('1.2.840.10045.1.1'), integer(prime)),
    sequence(
      octets(hex('ffffffff00000001000000000000000000000000fffffffffffffffffffffffc')),
      octets(hex('5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b')),
    ),
    octets(generator),
    integer(0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n),
    integer(1),
  );
})();

function parametersMutator(variant: string, parameters: readonly Buffer[]): Mutator {
  return publicKeyMutator(
    `curve/${variant}`,
    ({key}) => sequence(sequence(ecPublicKey, ...parameters), bits(pointOf(key, 'prime256v1'))),
    p256,
  );
}

const curves: readonly Curve[] = [
  'secp224r1',
  'secp256k1',
  'secp384r1',
  'secp521r1',
  'brainpoolP256r1',
  'brainpoolP384r1',
];

function rsaSpki(modulus: bigint, exponent: bigint, parameters: readonly Buffer[] = [nothing]): Buffer {
  return sequence(sequence(rsaEncryption, ...parameters), bits(sequence(integer(modulus), integer(exponent))));
}

const rsaNumbersOf = (): ReturnType<typeof rsaNumbers> => rsaNumbers(2048, 'mutated');

function rsaMutator(variant: string, spki: (certificate: CertificateDraft) => Buffer): Mutator {
  return publicKeyMutator(`rsa/${variant}`, spki, () => rsaKey(2048, 'mutated'));
}

/** A key that is only for RSASSA-PSS; its signatures are of that type. */
function pssKey(parameters: readonly Buffer[]): Key {
  const numbers = rsaNumbersOf();
  const plain = rsaKeyOf(numbers, 'mutated pss');
  const algorithm = sequence(rsaPss, ...parameters);
  return {
    kind: 'other',
    spki: sequence(algorithm, bits(sequence(integer(numbers.n), integer(numbers.e)))),
    pkcs8: sequence(integer(0), algorithm, octets(plain.traditional?.der ?? Buffer.alloc(0))),
    algorithm: sequence(rsaPss, pssParameters('sha256', 32)),
    sign: (message) => pssSign(numbers, message, 'sha256', 32),
  };
}

export const publicKeyMutators: readonly Mutator[] = [
  ...curves.map((curve) => keyMutator(`curve/${curve}`, () => ecKey(curve, 'mutated'))),
  parametersMutator('explicit', [explicitP256]),
  parametersMutator('missing', []),
  parametersMutator('null', [nothing]),
  parametersMutator('unknown', [oid('1.2.840.10045.3.1.99')]),
  parametersMutator('other', [curveOid('secp384r1')]),
  parametersMutator('trailing', [curveOid('prime256v1'), nothing]),
  pointMutator('compressed', (point) =>
    Buffer.concat([Buffer.from([2 + ((point[64] ?? 0) & 1)]), point.subarray(1, 33)]),
  ),
  pointMutator('hybrid', (point) => Buffer.concat([Buffer.from([6 + ((point[64] ?? 0) & 1)]), point.subarray(1)])),
  pointMutator('infinity', () => Buffer.from([0])),
  pointMutator('empty', () => Buffer.alloc(0)),
  pointMutator('zero', () => Buffer.concat([Buffer.from([4]), Buffer.alloc(64)])),
  pointMutator('not-on-curve', (point) => Buffer.concat([point.subarray(0, 64), Buffer.from([(point[64] ?? 0) ^ 1])])),
  pointMutator('out-of-range', (point) =>
    Buffer.concat([Buffer.from([4]), Buffer.alloc(32, 0xff), point.subarray(33)]),
  ),
  pointMutator('short', (point) => point.subarray(0, 64)),
  pointMutator('long', (point) => Buffer.concat([point, Buffer.from([0])])),
  ...[512, 768, 1000, 1023, 1024, 1025, 1536, 3072].map((size) =>
    keyMutator(`rsa/${String(size)}`, () => rsaKey(size, 'mutated')),
  ),
  ...(
    [
      ['exponent-1', 1n],
      ['exponent-2', 2n],
      ['exponent-3', 3n],
      ['exponent-even', 65536n],
      ['exponent-33-bits', (1n << 32n) + 15n],
      ['exponent-64-bits', (1n << 63n) + 29n],
      ['exponent-huge', (1n << 2000n) + 1n],
    ] as const
  ).map(([variant, exponent]) => keyMutator(`rsa/${variant}`, () => rsaKey(2048, 'mutated', exponent))),
  rsaMutator('exponent-0', () => rsaSpki(rsaNumbersOf().n, 0n)),
  rsaMutator('exponent-negative', () => rsaSpki(rsaNumbersOf().n, -3n)),
  rsaMutator('modulus-even', () => rsaSpki(rsaNumbersOf().n - 1n, 65537n)),
  rsaMutator('modulus-negative', () => rsaSpki(-rsaNumbersOf().n, 65537n)),
  rsaMutator('modulus-0', () => rsaSpki(0n, 65537n)),
  rsaMutator('modulus-huge', () => rsaSpki((1n << 17000n) + 1n, 65537n)),
  rsaMutator('parameters-missing', () => rsaSpki(rsaNumbersOf().n, 65537n, [])),
  rsaMutator('parameters-other', () => rsaSpki(rsaNumbersOf().n, 65537n, [oid('1.2.3')])),
  rsaMutator('trailing', () => {
    const {n, e} = rsaNumbersOf();
    return sequence(
      sequence(rsaEncryption, nothing),
      bits(Buffer.concat([sequence(integer(n), integer(e)), Buffer.from([0])])),
    );
  }),
  rsaMutator('third-number', () => {
    const {n, e} = rsaNumbersOf();
    return sequence(sequence(rsaEncryption, nothing), bits(sequence(integer(n), integer(e), integer(1))));
  }),
  rsaMutator('padded-modulus', () => {
    const {n, e} = rsaNumbersOf();
    const modulus = tlv(0x02, Buffer.from([0]), integer(n).subarray(4));
    return sequence(sequence(rsaEncryption, nothing), bits(sequence(modulus, integer(e))));
  }),
  keyMutator('rsa/pss-key', () => pssKey([])),
  keyMutator('rsa/pss-key-parameters', () => pssKey([pssParameters('sha256', 32)])),
  keyMutator('key/ed25519', () => edwardsKey('ed25519', 'mutated')),
  keyMutator('key/ed448', () => edwardsKey('ed448', 'mutated')),
  keyMutator('key/x25519', () => edwardsKey('x25519', 'mutated')),
  keyMutator('key/dsa', dsaKey),
  publicKeyMutator('key/unknown-algorithm', () => sequence(sequence(oid('1.2.3.4')), bits(Buffer.alloc(32, 1)))),
  publicKeyMutator(
    'key/ed25519-parameters',
    ({key}) => sequence(sequence(oid('1.3.101.112'), nothing), bits(key.spki.subarray(-32))),
    () => edwardsKey('ed25519', 'mutated'),
  ),
  publicKeyMutator(
    'key/ed25519-short',
    ({key}) => sequence(sequence(oid('1.3.101.112')), bits(key.spki.subarray(-31))),
    () => edwardsKey('ed25519', 'mutated'),
  ),
  publicKeyMutator(
    'key/unused-bits',
    ({key}) => sequence(sequence(ecPublicKey, curveOid('prime256v1')), bits(pointOf(key, 'prime256v1'), 1)),
    p256,
  ),
  publicKeyMutator('key/trailing', ({key}) => Buffer.concat([tlv(0x30, key.spki.subarray(2), nothing)]), p256),
  publicKeyMutator('key/of-another', () => ecKey('prime256v1', 'another').spki),
];
