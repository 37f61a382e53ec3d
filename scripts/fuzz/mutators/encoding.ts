/** Times, signatures, and encodings that are not DER. */
import {type CertificateDraft, generalizedTime, utcTime} from '../certificate.js';
import {
  bits,
  type Element,
  encode,
  flatten,
  integer,
  lengthOf,
  nothing,
  octets,
  oid,
  parse,
  sequence,
  tlv,
} from '../der.js';
import {type Hash, pssParameters, pssSign, rsaNumbers, rsaPss, rsaKey, signatureAlgorithm} from '../keys.js';
import type {Random} from '../random.js';
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

/** Rewrites one element of the TBSCertificate that `wanted` selects, before it is signed. */
function rewrite(
  variant: string,
  wanted: (element: Element) => boolean,
  change: (encoded: Buffer, element: Element) => Buffer,
): Mutator {
  return certificateMutator(`der/${variant}`, (certificate, random) => {
    certificate.beforeSigning.push((tbs) => {
      const tree = parse(tbs);
      const candidates = flatten(tree).filter(wanted);
      if (candidates.length === 0) return tbs;
      const target = random.pick(candidates);
      return encode(tree, (element, encoded) => (element === target ? change(encoded, element) : encoded));
    });
  });
}

/** The content of an encoded element, and its tag. */
function split(encoded: Buffer): [Buffer, Buffer] {
  const length = encoded.readUInt8(1);
  return [encoded.subarray(0, 1), encoded.subarray(length < 0x80 ? 2 : 2 + (length & 0x7f))];
}

const everything = (): boolean => true;
const isTag =
  (...tags: readonly number[]) =>
  ({tag}: Element): boolean =>
    tags.includes(tag);

const encodings: readonly Mutator[] = [
  rewrite('long-length', everything, (encoded) => {
    const [tag, content] = split(encoded);
    return Buffer.concat([tag, lengthOf(content.length, content.length < 0x80 ? 1 : 3), content]);
  }),
  rewrite(
    'indefinite-length',
    ({children}) => children !== undefined,
    (encoded) => {
      const [tag, content] = split(encoded);
      return Buffer.concat([tag, Buffer.from([0x80]), content, Buffer.from([0, 0])]);
    },
  ),
  rewrite('long-tag', isTag(0x30, 0x31, 0x02, 0x06), (encoded, {tag}) =>
    Buffer.concat([Buffer.from([(tag & 0xe0) | 0x1f, tag & 0x1f]), encoded.subarray(1)]),
  ),
  rewrite('padded-integer', isTag(0x02), (_, {content}) => tlv(0x02, Buffer.from([0, 0]), content)),
  rewrite('boolean-1', isTag(0x01), () => Buffer.from([1, 1, 1])),
  rewrite('boolean-false', isTag(0x01), () => Buffer.from([1, 1, 0])),
  rewrite('padded-oid', isTag(0x06), (_, {content}) =>
    tlv(0x06, content.subarray(0, 1), Buffer.from([0x80]), content.subarray(1)),
  ),
  rewrite('constructed-string', isTag(0x0c, 0x13, 0x16), (encoded, {tag}) => tlv(tag | 0x20, encoded)),
  rewrite('constructed-octets', isTag(0x04), (encoded) => tlv(0x24, encoded)),
  rewrite('null-with-content', isTag(0x05), () => tlv(0x05, Buffer.from([0]))),
  rewrite(
    'trailing-in-sequence',
    ({children}) => children !== undefined,
    (encoded) => {
      const [tag, content] = split(encoded);
      return tlv(tag.readUInt8(0), content, nothing);
    },
  ),
  certificateMutator('der/trailing-bytes', (certificate) => {
    certificate.afterSigning.push((bytes) => Buffer.concat([bytes, Buffer.from([0, 0])]));
  }),
  certificateMutator('der/trailing-element', (certificate) => {
    certificate.afterSigning.push((bytes) => Buffer.concat([bytes, nothing]));
  }),
  certificateMutator('der/trailing-in-certificate', (certificate) => {
    certificate.afterSigning.push((bytes) => tlv(0x30, split(bytes)[1], nothing));
  }),
  certificateMutator('der/two-in-one-block', (certificate) => {
    certificate.afterSigning.push((bytes) => Buffer.concat([bytes, bytes]));
  }),
  certificateMutator('der/long-outer-length', (certificate) => {
    certificate.afterSigning.push((bytes) => {
      const [tag, content] = split(bytes);
      return Buffer.concat([tag, lengthOf(content.length, 3), content]);
    });
  }),
  certificateMutator('der/indefinite-outer-length', (certificate) => {
    certificate.afterSigning.push((bytes) => {
      const [tag, content] = split(bytes);
      return Buffer.concat([tag, Buffer.from([0x80]), content, Buffer.from([0, 0])]);
    });
  }),
  certificateMutator('der/truncated', (certificate, random) => {
    certificate.afterSigning.push((bytes) => bytes.subarray(0, 1 + random.below(bytes.length - 1)));
  }),
  certificateMutator('der/empty', (certificate) => {
    certificate.afterSigning.push(() => Buffer.alloc(0));
  }),
];

/** Changes the structure of the TBSCertificate at one random place, so that the signature still fits. */
function structural(variant: string, change: (element: Element, parent: Element, random: Random) => void): Mutator {
  return certificateMutator(`random/${variant}`, (certificate, random) => {
    certificate.beforeSigning.push((tbs) => {
      const tree = parse(tbs);
      const pairs = flatten(tree).flatMap((parent) => (parent.children ?? []).map((child) => [child, parent] as const));
      const [child, parent] = random.pick(pairs);
      change(child, parent, random);
      return encode(tree);
    });
  });
}

const randomChanges: readonly Mutator[] = [
  structural('delete', (element, parent) => {
    parent.children = parent.children?.filter((child) => child !== element) ?? [];
  }),
  structural('duplicate', (element, parent) => {
    parent.children?.splice(parent.children.indexOf(element), 0, element);
  }),
  structural('exchange', (element, parent, random) => {
    const {children = []} = parent;
    const [index, other] = [children.indexOf(element), random.below(children.length)];
    [children[index], children[other]] = [children[other]!, element];
  }),
  structural('tag', (element, _, random) => {
    element.tag = random.pick([
      0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1e, 0x30, 0x31, 0x80, 0xa0, 0xa1,
      0xa3,
    ]);
    if ((element.tag & 0x20) === 0 && element.children !== undefined) {
      element.content = Buffer.concat(element.children.map((child) => encode(child)));
      delete element.children;
    }
  }),
  structural('content', (element, _, random) => {
    if (element.children === undefined) element.content = random.bytes(random.below(24));
  }),
  structural('byte', (element, _, random) => {
    if (element.children !== undefined || element.content.length === 0) return;
    element.content = Buffer.from(element.content);
    element.content[random.below(element.content.length)] = random.below(256);
  }),
  structural('empty', (element) => {
    if (element.children === undefined) element.content = Buffer.alloc(0);
    else element.children = [];
  }),
  certificateMutator('random/bit', (certificate, random) => {
    certificate.beforeSigning.push((tbs) => flipped(tbs, random));
  }),
  certificateMutator('random/bit-after-signing', (certificate, random) => {
    certificate.afterSigning.push((bytes) => flipped(bytes, random));
  }),
];

function flipped(bytes: Buffer, random: Random): Buffer {
  const changed = Buffer.from(bytes);
  const at = random.below(changed.length);
  changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8));
  return changed;
}

export const encodingMutators: readonly Mutator[] = [
  ...Object.entries(validities).map(([key, times]) =>
    certificateMutator(`time/${key}`, (certificate) => {
      certificate.validity = sequence(...times);
    }),
  ),
  ...signatures,
  ...encodings,
  ...randomChanges,
];
