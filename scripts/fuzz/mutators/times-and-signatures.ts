/** Validity periods, and signatures with their algorithms. */
import {type CertificateDraft, generalizedTime, utcTime} from '../certificate.js';
import {bits, integer, nothing, octets, oid, parse, sequence, tlv} from '../der.js';
import {type Hash, pssParameters, pssSign, rsaKey, rsaNumbers, rsaPss, signatureAlgorithm} from '../keys.js';
import {certificateMutator, type Mutator} from './mutator.js';

const [start, end] = [utcTime('240101000000Z'), utcTime('450101000000Z')];
const validities: Readonly<Record<string, readonly Buffer[]>> = {
  'utc-no-seconds': [utcTime('2401010000Z'), end],
  'utc-offset': [utcTime('240101000000+0100'), end],
  'utc-offset-no-seconds': [utcTime('2401010000-0100'), end],
  'utc-no-zone': [utcTime('240101000000'), end],
  'utc-2049': [start, utcTime('491231235959Z')],
  'utc-1950': [utcTime('500101000000Z'), end],
  'utc-bad-month': [utcTime('241301000000Z'), end],
  'utc-bad-day': [utcTime('240230000000Z'), end],
  'utc-leap-second': [utcTime('231231235960Z'), end],
  'utc-hour-24': [utcTime('231231240000Z'), end],
  'utc-spaces': [utcTime('24 101000000Z'), end],
  'utc-lower-z': [utcTime('240101000000z'), end],
  'utc-empty': [utcTime(''), end],
  'utc-fraction': [utcTime('240101000000.5Z'), end],
  'generalized-before-2050': [generalizedTime('20240101000000Z'), generalizedTime('20450101000000Z')],
  'generalized-2050': [start, generalizedTime('20500101000000Z')],
  'generalized-9999': [start, generalizedTime('99991231235959Z')],
  'generalized-0000': [generalizedTime('00000101000000Z'), end],
  'generalized-0001': [generalizedTime('00010101000000Z'), end],
  'generalized-fraction': [start, generalizedTime('20500101000000.5Z')],
  'generalized-fraction-zero': [start, generalizedTime('20500101000000.0Z')],
  'generalized-no-seconds': [start, generalizedTime('205001010000Z')],
  'generalized-offset': [start, generalizedTime('20500101000000+0100')],
  'generalized-no-zone': [start, generalizedTime('20500101000000')],
  'generalized-bad-day': [start, generalizedTime('20510229000000Z')],
  'year-10000': [start, generalizedTime('100000101000000Z')],
  exchanged: [end, start],
  expired: [utcTime('230101000000Z'), utcTime('240101000000Z')],
  'not-yet-valid': [utcTime('440101000000Z'), end],
  'third-time': [start, end, end],
  'only-one': [start],
  'not-a-time': [tlv(0x13, Buffer.from('240101000000Z')), end],
};

/** Certificates below an RSA key sign with it; others sign as they do. */
function rsaSigned(certificate: CertificateDraft): boolean {
  return certificate.issuer.key.kind === 'rsa';
}

function kindOf({issuer}: CertificateDraft): 'rsa' | 'ec' {
  return issuer.key.kind === 'rsa' ? 'rsa' : 'ec';
}

function hashMutator(hash: Hash): Mutator {
  return certificateMutator(`signature/${hash}`, (certificate) => {
    certificate.hash = hash;
  });
}

/** Signs one certificate with RSASSA-PSS, by an issuer that has an RSA key. */
function pssMutator(variant: string, parameters: readonly Buffer[], hash: Hash, salt: number): Mutator {
  return certificateMutator(
    `signature/pss-${variant}`,
    (certificate) => {
      const {issuer} = certificate;
      if (!rsaSigned(certificate)) issuer.key = rsaKey(2048, 'pss');
      const numbers = [...['root', 'ca', 'second-root'], 'pss']
        .map((label) => [rsaKey(2048, label), rsaNumbers(2048, label)] as const)
        .find(([key]) => key === issuer.key)?.[1];
      if (numbers === undefined) return;
      certificate.algorithm = sequence(rsaPss, ...parameters);
      certificate.sign = (tbs) => pssSign(numbers, tbs, hash, salt);
    },
    ['root', 'second-root'],
  );
}

const signatures: readonly Mutator[] = [
  hashMutator('md5'),
  hashMutator('sha1'),
  hashMutator('sha384'),
  hashMutator('sha512'),
  pssMutator('sha256', [pssParameters('sha256', 32)], 'sha256', 32),
  pssMutator('sha512', [pssParameters('sha512', 64)], 'sha512', 64),
  pssMutator('salt-20', [pssParameters('sha256', 20)], 'sha256', 20),
  pssMutator('sha1', [sequence()], 'sha1', 20),
  pssMutator('parameters-missing', [], 'sha1', 20),
  certificateMutator('signature/parameters-null', (certificate) => {
    certificate.algorithm = signatureAlgorithm(kindOf(certificate), 'sha256', nothing);
  }),
  certificateMutator('signature/parameters-missing', (certificate) => {
    certificate.algorithm = signatureAlgorithm(kindOf(certificate), 'sha256', Buffer.alloc(0));
  }),
  certificateMutator('signature/parameters-other', (certificate) => {
    certificate.algorithm = signatureAlgorithm(kindOf(certificate), 'sha256', oid('1.2.3'));
  }),
  certificateMutator('signature/outer-parameters-differ', (certificate) => {
    const kind = kindOf(certificate);
    certificate.algorithm = signatureAlgorithm(kind, 'sha256');
    certificate.outerAlgorithm = signatureAlgorithm(kind, 'sha256', kind === 'rsa' ? Buffer.alloc(0) : nothing);
  }),
  certificateMutator('signature/outer-algorithm-differs', (certificate) => {
    certificate.outerAlgorithm = signatureAlgorithm(kindOf(certificate), 'sha384');
  }),
  certificateMutator('signature/inner-algorithm-differs', (certificate) => {
    certificate.algorithm = signatureAlgorithm(kindOf(certificate), 'sha384');
    certificate.outerAlgorithm = signatureAlgorithm(kindOf(certificate), 'sha256');
  }),
  certificateMutator('signature/unknown-algorithm', (certificate) => {
    certificate.algorithm = sequence(oid('1.2.3.4'));
  }),
  certificateMutator('signature/wrong', (certificate) => {
    certificate.signatureElement = (signature) =>
      bits(Buffer.concat([signature.subarray(0, -1), Buffer.from([(signature.at(-1) ?? 0) ^ 1])]));
  }),
  certificateMutator('signature/empty', (certificate) => {
    certificate.signatureElement = () => bits(Buffer.alloc(0));
  }),
  certificateMutator('signature/unused-bits', (certificate) => {
    certificate.signatureElement = (signature) =>
      tlv(0x03, Buffer.from([1]), signature.subarray(0, -1), Buffer.from([(signature.at(-1) ?? 0) & 0xfe]));
  }),
  certificateMutator('signature/octets', (certificate) => {
    certificate.signatureElement = (signature) => octets(signature);
  }),
  certificateMutator('signature/trailing', (certificate) => {
    certificate.signatureElement = (signature) => bits(Buffer.concat([signature, Buffer.from([0])]));
  }),
  certificateMutator('signature/ecdsa-padded', (certificate) => {
    certificate.signatureElement = (signature) => {
      if (rsaSigned(certificate)) return bits(signature);
      const [r, s] = parse(signature).children ?? [];
      return bits(sequence(tlv(0x02, Buffer.from([0, 0]), r?.content ?? nothing), tlv(0x02, s?.content ?? nothing)));
    };
  }),
  certificateMutator('signature/ecdsa-negative', (certificate) => {
    certificate.signatureElement = (signature) =>
      rsaSigned(certificate) ? bits(signature) : bits(sequence(integer(-5), integer(7)));
  }),
  certificateMutator('signature/another-key', (certificate, random) => {
    const key = rsaKey(2048, 'another');
    certificate.sign = (tbs) => key.sign(tbs);
    if (random.below(2) === 0) certificate.algorithm = key.algorithm;
  }),
];

export const timeAndSignatureMutators: readonly Mutator[] = [
  ...Object.entries(validities).map(([key, times]) =>
    certificateMutator(`time/${key}`, (certificate) => {
      certificate.validity = sequence(...times);
    }),
  ),
  ...signatures,
];
