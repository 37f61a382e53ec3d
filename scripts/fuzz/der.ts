/**
 * Writes DER, and on purpose what is not DER. Independent of src/domain/asn1, which the fuzzer tests: a mistake there must
 * not hide here.
 */

/** An element: a tag, a minimal length, and content. */
export function tlv(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
}

/** A length in its shortest form, or padded to `octets` length octets (not DER). */
export function lengthOf(length: number, octets = 0): Buffer {
  if (octets === 0 && length < 0x80) return Buffer.from([length]);
  const hex = length.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  const padded = Buffer.concat([Buffer.alloc(Math.max(0, octets - bytes.length)), bytes]);
  return Buffer.concat([Buffer.from([0x80 | padded.length]), padded]);
}

export const sequence = (...items: readonly Uint8Array[]): Buffer => tlv(0x30, ...items);
export const set = (...items: readonly Uint8Array[]): Buffer => tlv(0x31, ...items);
export const octets = (content: Uint8Array): Buffer => tlv(0x04, content);
export const nothing = Buffer.from([0x05, 0x00]);
export const boolean = (value: boolean): Buffer => Buffer.from([0x01, 0x01, value ? 0xff : 0x00]);

/** A BIT STRING whose last octet has `unused` unused bits. */
export const bits = (content: Uint8Array, unused = 0): Buffer => tlv(0x03, Buffer.from([unused]), content);

/** `[number]`, constructed: an explicit tag, or an implicit one around items. */
export const tagged = (number: number, ...items: readonly Uint8Array[]): Buffer => tlv(0xa0 | number, ...items);

/** `[number]`, primitive: an implicit tag. */
export const implicit = (number: number, content: Uint8Array | string): Buffer =>
  tlv(0x80 | number, typeof content === 'string' ? Buffer.from(content, 'latin1') : content);

/** An INTEGER in two's complement. */
export function integer(value: bigint | number): Buffer {
  return tlv(0x02, integerContent(BigInt(value)));
}

/** The shortest two's complement of an integer. */
export function integerContent(value: bigint): Buffer {
  let length = 1;
  while (value < -(1n << BigInt(length * 8 - 1)) || value >= 1n << BigInt(length * 8 - 1)) length += 1;
  return Buffer.from(
    BigInt.asUintN(length * 8, value)
      .toString(16)
      .padStart(length * 2, '0'),
    'hex',
  );
}

/** An OBJECT IDENTIFIER from its dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tlv(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(arc: number): number[] {
  const digits = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift((rest % 128) | 0x80);
  return digits;
}

/** A parsed element. Constructed elements have children; all others have content. */
export interface Element {
  tag: number;
  content: Buffer;
  children?: Element[];
}

/** Parses our own DER (single-octet tags, definite lengths). Throws a RangeError for anything else. */
export function parse(der: Buffer): Element {
  const [element, end] = parseAt(der, 0);
  if (end !== der.length) throw new RangeError('trailing bytes');
  return element;
}

function parseAt(der: Buffer, start: number): [Element, number] {
  const tag = der.readUInt8(start);
  let at = start + 1;
  let length = der.readUInt8(at);
  at += 1;
  if (length >= 0x80) {
    const count = length & 0x7f;
    length = der.readUIntBE(at, count);
    at += count;
  }
  const end = at + length;
  if (end > der.length) throw new RangeError('truncated element');
  const content = der.subarray(at, end);
  if ((tag & 0x20) === 0) return [{tag, content}, end];
  const children: Element[] = [];
  for (let next = at; next < end;) {
    const [child, after] = parseAt(content, next - at);
    children.push(child);
    next = at + after;
  }
  return [{tag, content, children}, end];
}

/** Encodes an element again. `wrap` replaces the encoding of single elements. */
export function encode(element: Element, wrap?: (element: Element, encoded: Buffer) => Buffer): Buffer {
  const content = element.children?.map((child) => encode(child, wrap)) ?? [element.content];
  const encoded = tlv(element.tag, ...content);
  return wrap?.(element, encoded) ?? encoded;
}

/** All elements of a tree, the outermost first. */
export function flatten(element: Element): Element[] {
  return [element, ...(element.children ?? []).flatMap(flatten)];
}
