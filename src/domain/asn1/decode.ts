/**
 * Decodes DER strictly (X.690 8 and 10), like Go's cryptobyte, which istiod uses, and BoringSSL's CBS, which proxies use:
 * every value has exactly one encoding, and any other is an error. `der.ts` reads the decoded values.
 */

/** The universal tag numbers in certificates and keys (X.680). */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  sequence: 0x10,
  set: 0x11,
  numericString: 0x12,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  universalString: 0x1c,
  bmpString: 0x1e,
} as const;

/** Tag classes, in the two high bits of the identifier octet. */
export const tagClasses = {universal: 0x00, context: 0x80} as const;

/** A DER value: constructed with children, or primitive with content bytes. */
export interface Der {
  readonly tagClass: number;
  readonly tag: number;
  readonly children?: readonly Der[];
  readonly content?: Buffer;
}

/** Certificates nest about ten levels deep; deeper input is an attack on the parser. */
const maxDepth = 32;

/** The longest length field: four bytes are enough for 4 GiB. */
const maxLengthBytes = 4;

/** Decodes exactly one DER value. Throws a plain Error, to which `readDer` adds a code. */
export function decodeDer(bytes: Uint8Array): Der {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const {value, end} = readValue(input, 0, maxDepth);
  if (end !== input.length) throw new Error('not DER: bytes follow the value');
  return value;
}

function readValue(input: Buffer, start: number, depth: number): {readonly value: Der; readonly end: number} {
  if (depth === 0) throw new Error('not DER: nested too deeply');
  const identifier = input[start];
  if (identifier === undefined) throw new Error('not DER: it is truncated');
  const tag = identifier & 0x1f;
  // Certificates and keys have no tags above 30, which take more than one byte.
  if (tag === 0x1f) throw new Error('not DER: a tag is out of range');
  const {length, contentStart} = readLength(input, start + 1);
  const end = contentStart + length;
  if (end > input.length) throw new Error('not DER: it is truncated');
  const tagClass = identifier & 0xc0;
  const content = input.subarray(contentStart, end);
  const isConstructed = (identifier & 0x20) !== 0;
  if (tagClass === tagClasses.universal) requireForm(tag, isConstructed, content);
  if (!isConstructed) return {value: {tagClass, tag, content}, end};
  const children: Der[] = [];
  for (let at = 0; at < content.length;) {
    const child = readValue(content, at, depth - 1);
    children.push(child.value);
    at = child.end;
  }
  return {value: {tagClass, tag, children}, end};
}

/** A length in its only DER form: definite, and in as few bytes as possible (X.690 10.1). */
function readLength(input: Buffer, at: number): {readonly length: number; readonly contentStart: number} {
  const first = input[at];
  if (first === undefined) throw new Error('not DER: it is truncated');
  if (first < 0x80) return {length: first, contentStart: at + 1};
  const count = first & 0x7f;
  if (count === 0) throw new Error('not DER: a length is indefinite');
  if (count > maxLengthBytes || at + 1 + count > input.length) throw new Error('not DER: a length is out of range');
  const length = input.readUIntBE(at + 1, count);
  if (length < 0x80 || length < 2 ** (8 * (count - 1))) throw new Error('not DER: a length has leading zeros');
  return {length, contentStart: at + 1 + count};
}

/** Universal types have one form each (X.690 8), and a constrained content. */
function requireForm(tag: number, isConstructed: boolean, content: Buffer): void {
  const mustBeConstructed = tag === tags.sequence || tag === tags.set;
  if (isConstructed !== mustBeConstructed) {
    throw new Error(`not DER: a value with tag ${String(tag)} is ${isConstructed ? '' : 'not '}constructed`);
  }
  const fault = contentFaults[tag]?.(content);
  if (fault !== undefined) throw new Error(`not DER: ${fault}`);
}

const contentFaults: Readonly<Record<number, (content: Buffer) => string | undefined>> = {
  // X.690 11.1.
  [tags.boolean]: (content) =>
    content.length === 1 && (content[0] === 0 || content[0] === 0xff)
      ? undefined
      : 'a boolean is neither FALSE nor TRUE',
  [tags.integer]: integerFault,
  [tags.enumerated]: integerFault,
  [tags.null]: (content) => (content.length === 0 ? undefined : 'NULL has a content'),
  [tags.oid]: oidFault,
  [tags.bitString]: bitStringFault,
};

/** Why bytes are not the content of an INTEGER (X.690 8.3.2: the first nine bits are neither all zero nor all one). */
export function integerFault(content: Buffer): string | undefined {
  const [first, second] = content;
  if (first === undefined) return 'an integer is empty';
  if (second === undefined) return undefined;
  const isPadded = (first === 0 && second < 0x80) || (first === 0xff && second >= 0x80);
  return isPadded ? 'an integer has leading zeros' : undefined;
}

/** X.690 8.19.2: each component ends in a byte below 0x80 and does not begin with 0x80. */
function oidFault(content: Buffer): string | undefined {
  if (content.length === 0) return 'an object identifier is empty';
  if ((content.at(-1) ?? 0) >= 0x80) return 'an object identifier is truncated';
  const isPadded = content.some((byte, index) => byte === 0x80 && (index === 0 || (content[index - 1] ?? 0) < 0x80));
  return isPadded ? 'an object identifier has leading zeros' : undefined;
}

/** The components of an object identifier's content (X.690 8.19.4: the first byte combines the first two). */
export function componentsOf(content: Buffer): readonly bigint[] {
  const numbers: bigint[] = [];
  let number = 0n;
  for (const byte of content) {
    number = number * 128n + BigInt(byte & 0x7f);
    if (byte >= 0x80) continue;
    numbers.push(number);
    number = 0n;
  }
  const [first = 0n, ...rest] = numbers;
  const top = first < 80n ? first / 40n : 2n;
  return [top, first - top * 40n, ...rest];
}

/** X.690 8.6.2 and 11.2.1: the first byte counts the unused bits in the last one, which are zero. */
function bitStringFault(content: Buffer): string | undefined {
  const unused = content[0];
  if (unused === undefined || unused > 7 || (content.length === 1 && unused > 0)) return 'a BIT STRING is not valid';
  const last = content.at(-1) ?? 0;
  return content.length > 1 && (last & ((1 << unused) - 1)) !== 0
    ? 'the unused bits of a BIT STRING are not zero'
    : undefined;
}
