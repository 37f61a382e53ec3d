/** ca-key.pem: labels, encodings and numbers of the private key. */
import {bits, integer, nothing, octets, oid, sequence, set, tagged} from '../der.js';
import {curveOid, ecKey, ecPublicKey, type Key, type RsaNumbers, rsaEncryption, rsaKey, rsaNumbers} from '../keys.js';
import {pem} from '../sets.js';
import {keyFileMutator, type Mutator, textMutator} from './mutator.js';

const pkcs8 = (key: Key): {label: string; der: Buffer} => ({label: 'PRIVATE KEY', der: key.pkcs8});
const onlyEc = ['p256', 'intermediate', 'two-roots', 'constrained', 'rich'];
const onlyRsa = ['rsa', 'all-roles'];

/** The cluster CA's RSA key, with other numbers. */
function numbersMutator(variant: string, change: (numbers: RsaNumbers) => Partial<RsaNumbers>): Mutator {
  return keyFileMutator(
    `key-file/rsa-${variant}`,
    (_, random) => {
      const numbers = rsaNumbers(2048, 'ca');
      const {n, e, d, p, q, dp, dq, qi} = {...numbers, ...change(numbers)};
      const der = sequence(integer(0), ...[n, e, d, p, q, dp, dq, qi].map(integer));
      const wrapped = sequence(integer(0), sequence(rsaEncryption, nothing), octets(der));
      return random.pick([
        {label: 'RSA PRIVATE KEY', der},
        {label: 'PRIVATE KEY', der: wrapped},
      ]);
    },
    onlyRsa,
  );
}

function ecMutator(variant: string, der: (scalar: Buffer, point: Buffer) => Buffer): Mutator {
  return keyFileMutator(
    `key-file/ec-${variant}`,
    (key) => ({label: 'EC PRIVATE KEY', der: der(scalarOf(key), key.spki.subarray(-65))}),
    onlyEc,
  );
}

/** The scalar of a P-256 key, at its place in ECPrivateKey: SEQUENCE, INTEGER 1, OCTET STRING. */
function scalarOf({traditional}: Key): Buffer {
  const der = traditional?.der ?? Buffer.alloc(0);
  return der.subarray(7, 39);
}

const named = tagged(0, curveOid('prime256v1'));

export const keyFileMutators: readonly Mutator[] = [
  keyFileMutator('key-file/pkcs8', pkcs8),
  keyFileMutator('key-file/pkcs8-labelled-ec', ({pkcs8: der}) => ({label: 'EC PRIVATE KEY', der})),
  keyFileMutator('key-file/pkcs8-labelled-rsa', ({pkcs8: der}) => ({label: 'RSA PRIVATE KEY', der})),
  keyFileMutator('key-file/traditional-labelled-pkcs8', ({traditional, pkcs8: der}) => ({
    label: 'PRIVATE KEY',
    der: traditional?.der ?? der,
  })),
  keyFileMutator('key-file/labels-exchanged', ({kind, traditional, pkcs8: der}) => ({
    label: kind === 'rsa' ? 'EC PRIVATE KEY' : 'RSA PRIVATE KEY',
    der: traditional?.der ?? der,
  })),
  ...[
    'ENCRYPTED PRIVATE KEY',
    'OPENSSH PRIVATE KEY',
    'DSA PRIVATE KEY',
    'ANY PRIVATE KEY',
    'CERTIFICATE',
    'PUBLIC KEY',
  ].map((label) =>
    keyFileMutator(`key-file/labelled-${label.toLowerCase().replaceAll(' ', '-')}`, ({pkcs8: der}) => ({label, der})),
  ),
  keyFileMutator('key-file/public-key', ({spki}) => ({label: 'PUBLIC KEY', der: spki})),
  keyFileMutator('key-file/another-ec', () => pkcs8(ecKey('prime256v1', 'another'))),
  keyFileMutator('key-file/another-rsa-size', () => pkcs8(rsaKey(1024, 'another'))),
  keyFileMutator('key-file/another-rsa', () => pkcs8(rsaKey(2048, 'another'))),
  numbersMutator('wrong-dp', ({dp}) => ({dp: dp + 2n})),
  numbersMutator('wrong-dq', ({dq}) => ({dq: dq + 2n})),
  numbersMutator('wrong-qi', ({qi}) => ({qi: qi + 1n})),
  numbersMutator('wrong-d', ({d}) => ({d: d + 2n})),
  numbersMutator('wrong-p', ({p}) => ({p: p + 2n})),
  numbersMutator('primes-exchanged', ({p, q}) => ({p: q, q: p})),
  numbersMutator('no-crt', () => ({dp: 0n, dq: 0n, qi: 0n})),
  numbersMutator('no-primes', () => ({p: 0n, q: 0n, dp: 0n, dq: 0n, qi: 0n})),
  numbersMutator('negative-d', ({d}) => ({d: -d})),
  numbersMutator('d-not-reduced', ({d, p, q}) => ({d: d + (p - 1n) * (q - 1n)})),
  numbersMutator('other-exponent', () => ({e: 3n})),
  keyFileMutator(
    'key-file/rsa-version-1',
    () => {
      const {n, e, d, p, q, dp, dq, qi} = rsaNumbers(2048, 'ca');
      return {label: 'RSA PRIVATE KEY', der: sequence(integer(1), ...[n, e, d, p, q, dp, dq, qi].map(integer))};
    },
    onlyRsa,
  ),
  ecMutator('without-public-key', (scalar) => sequence(integer(1), octets(scalar), named)),
  ecMutator('without-curve', (scalar, point) => sequence(integer(1), octets(scalar), tagged(1, bits(point)))),
  ecMutator('other-curve', (scalar, point) =>
    sequence(integer(1), octets(scalar), tagged(0, curveOid('secp256k1')), tagged(1, bits(point))),
  ),
  ecMutator('wrong-public-key', (scalar) =>
    sequence(integer(1), octets(scalar), named, tagged(1, bits(ecKey('prime256v1', 'another').spki.subarray(-65)))),
  ),
  ecMutator('garbage-public-key', (scalar) =>
    sequence(integer(1), octets(scalar), named, tagged(1, bits(Buffer.from([4, 1, 2])))),
  ),
  ecMutator('short-scalar', (scalar, point) =>
    sequence(integer(1), octets(scalar.subarray(1)), named, tagged(1, bits(point))),
  ),
  ecMutator('padded-scalar', (scalar, point) =>
    sequence(integer(1), octets(Buffer.concat([Buffer.alloc(4), scalar])), named, tagged(1, bits(point))),
  ),
  ecMutator('zero-scalar', (_, point) => sequence(integer(1), octets(Buffer.alloc(32)), named, tagged(1, bits(point)))),
  ecMutator('order-scalar', (_, point) =>
    sequence(
      integer(1),
      octets(Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex')),
      named,
      tagged(1, bits(point)),
    ),
  ),
  ecMutator('fields-exchanged', (scalar, point) => sequence(integer(1), octets(scalar), tagged(1, bits(point)), named)),
  ecMutator('empty-public-key', (scalar) => sequence(integer(1), octets(scalar), named, tagged(1))),
  ecMutator('version-0', (scalar, point) => sequence(integer(0), octets(scalar), named, tagged(1, bits(point)))),
  ecMutator('trailing', (scalar, point) =>
    Buffer.concat([sequence(integer(1), octets(scalar), named, tagged(1, bits(point))), Buffer.from([0, 0])]),
  ),
  keyFileMutator('key-file/pkcs8-attributes', ({pkcs8: der}) => ({
    label: 'PRIVATE KEY',
    der: sequence(contentOf(der), tagged(0, sequence(oid('1.2.3.4'), set(nothing)))),
  })),
  keyFileMutator('key-file/pkcs8-version-1', ({pkcs8: der}) => ({
    label: 'PRIVATE KEY',
    der: sequence(integer(1), contentOf(der).subarray(3)),
  })),
  keyFileMutator('key-file/pkcs8-trailing', ({pkcs8: der}) => ({
    label: 'PRIVATE KEY',
    der: Buffer.concat([der, Buffer.from([0])]),
  })),
  keyFileMutator(
    'key-file/pkcs8-curve-missing',
    (key) => ({
      label: 'PRIVATE KEY',
      der: sequence(integer(0), sequence(ecPublicKey), octets(key.traditional?.der ?? Buffer.alloc(0))),
    }),
    onlyEc,
  ),
  keyFileMutator(
    'key-file/pkcs8-curve-twice',
    (key) => ({
      label: 'PRIVATE KEY',
      der: sequence(
        integer(0),
        sequence(ecPublicKey, curveOid('prime256v1')),
        octets(key.traditional?.der ?? Buffer.alloc(0)),
      ),
    }),
    onlyEc,
  ),
  textMutator(
    'key-file/ec-parameters-first',
    (text) => pem('EC PARAMETERS', curveOid('prime256v1')) + text.toString(),
    ['ca-key.pem'],
  ),
  textMutator('key-file/ec-parameters-last', (text) => text.toString() + pem('EC PARAMETERS', curveOid('prime256v1')), [
    'ca-key.pem',
  ]),
  textMutator('key-file/certificate-first', (text, _, files) => Buffer.concat([files['ca-cert.pem'], text]), [
    'ca-key.pem',
  ]),
  textMutator('key-file/certificate-last', (text, _, files) => Buffer.concat([text, files['ca-cert.pem']]), [
    'ca-key.pem',
  ]),
  textMutator(
    'key-file/two-keys',
    (text) => text.toString() + pem('PRIVATE KEY', ecKey('prime256v1', 'another').pkcs8),
    ['ca-key.pem'],
  ),
  textMutator(
    'key-file/other-key-first',
    (text) => pem('PRIVATE KEY', ecKey('prime256v1', 'another').pkcs8) + text.toString(),
    ['ca-key.pem'],
  ),
  textMutator(
    'key-file/encryption-headers',
    (text) =>
      text
        .toString()
        .replace(
          'KEY-----\n',
          'KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n',
        ),
    ['ca-key.pem'],
  ),
];

function contentOf(der: Buffer): Buffer {
  const length = der.readUInt8(1);
  return der.subarray(length < 0x80 ? 2 : 2 + (length & 0x7f));
}
