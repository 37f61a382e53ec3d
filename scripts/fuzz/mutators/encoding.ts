/** Encodings that are not DER, and random changes. The signature still fits unless the name indicates otherwise. */
import {type Element, encode, flatten, lengthOf, nothing, parse, tlv} from '../der.js';
import type {Random} from '../random.js';
import {certificateMutator, type Mutator} from './mutator.js';

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

export const encodingMutators: readonly Mutator[] = [...encodings, ...randomChanges];
