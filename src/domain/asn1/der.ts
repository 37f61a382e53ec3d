/**
 * Encodes DER, reads decoded values, and decodes BER, independently of certificates. The only file that imports node-forge,
 * and only its ASN.1 codec. `decode.ts` decodes DER.
 */
import codec, {type Asn1} from 'node-forge/lib/asn1.js';
import {asMeshError, type ErrorCode, MeshError} from '../errors.js';
import {componentsOf, decodeDer, type Der, integerFault, tagClasses, tags} from './decode.js';

export {decodeDer, type Der, integerFault, tagClasses, tags};

/**
 * Reading found something that is not known to be refused, but that this program does not fully understand. Its message
 * completes "it is not proven that istiod and proxies accept it: …".
 */
export class OutsideProfile extends Error {}

/** Reading found something that istiod (Go) accepts, and proxies (BoringSSL) refuse. Its message does not name them. */
export class RefusedByProxies extends Error {}

/**
 * Decodes one DER value and passes it to `read`. An {@link OutsideProfile} is thrown as `NOT_PROVEN`, any other error with
 * this code, both as a MeshError with the message "WHAT: reason".
 */
export function readDer<T>(bytes: Uint8Array, code: ErrorCode, what: string, read: (value: Der) => T): T {
  try {
    return read(decodeDer(bytes));
  } catch (thrown) {
    if (thrown instanceof MeshError) throw thrown;
    if (thrown instanceof OutsideProfile) {
      const message = `${what}: it is not proven that istiod and proxies accept it: ${thrown.message}`;
      throw new MeshError('NOT_PROVEN', message, {cause: thrown});
    }
    const who = thrown instanceof RefusedByProxies ? ': istiod reads it, but proxies refuse it' : '';
    throw new MeshError(code, `${what}: ${asMeshError(thrown).message}${who}`, {cause: thrown});
  }
}

/**
 * Decodes the first value as BER (X.690 8.1): lengths may be indefinite or longer than necessary, as in PKCS#7 from
 * Microsoft and older Java. Ignores trailing bytes. Throws a plain Error.
 */
export function decodeBer(bytes: Uint8Array): Der {
  // Without `strict`, truncated values are accepted. With `decodeBitStrings`, about 1 in 256 EC public keys is mistaken
  // for ASN.1.
  const options = {strict: true, parseAllBytes: false, decodeBitStrings: false, maxDepth: 32};
  return fromForge(codec.fromDer(Buffer.from(bytes).toString('latin1'), options));
}

/** Encodes one DER value. */
export function encodeDer(value: Der): Buffer {
  return Buffer.from(codec.toDer(toForge(value)).getBytes(), 'latin1');
}

function fromForge(value: Asn1): Der {
  const {tagClass, type: tag} = value;
  if (typeof value.value !== 'string') return {tagClass, tag, children: value.value.map(fromForge)};
  // The codec returns BMPString (tag 30 of any class) as UTF-16 code units, not bytes.
  const content =
    tag === tags.bmpString ? Buffer.from(value.value, 'utf16le').swap16() : Buffer.from(value.value, 'latin1');
  return {tagClass, tag, content};
}

function toForge(value: Der): Asn1 {
  if (value.children) return codec.create(value.tagClass, value.tag, true, value.children.map(toForge));
  const content = value.content ?? Buffer.alloc(0);
  const text =
    value.tag === tags.bmpString && content.length % 2 === 0
      ? Buffer.from(content).swap16().toString('utf16le')
      : content.toString('latin1');
  return codec.create(value.tagClass, value.tag, false, text);
}

// Encoding

function primitive(tag: number, content: Buffer): Der {
  return {tagClass: tagClasses.universal, tag, content};
}

export function sequence(...children: readonly Der[]): Der {
  return {tagClass: tagClasses.universal, tag: tags.sequence, children};
}

export function set(...children: readonly Der[]): Der {
  return {tagClass: tagClasses.universal, tag: tags.set, children};
}

export function oid(dotted: string): Der {
  return primitive(tags.oid, Buffer.from(codec.oidToDer(dotted).getBytes(), 'latin1'));
}

/** A non-negative integer, from a number or from its bytes (most significant first). */
export function integer(value: number | Uint8Array): Der {
  const digits = typeof value === 'number' ? value.toString(16) : Buffer.from(value).toString('hex');
  const hex = digits.replace(/^0+/, '') || '0';
  const bytes = hex.length % 2 === 0 ? hex : `0${hex}`;
  // The first bit is the sign bit.
  return primitive(tags.integer, Buffer.from(/^[89a-f]/.test(bytes) ? `00${bytes}` : bytes, 'hex'));
}

export function octetString(content: Uint8Array): Der {
  return primitive(tags.octetString, Buffer.from(content));
}

export function bitString(content: Uint8Array, unusedBits = 0): Der {
  return primitive(tags.bitString, Buffer.concat([Buffer.from([unusedBits]), content]));
}

/** DER omits FALSE if it is the default, so only TRUE is ever written. */
export const derTrue: Der = primitive(tags.boolean, Buffer.from([0xff]));
export const derNull: Der = primitive(tags.null, Buffer.alloc(0));

export function utf8String(text: string): Der {
  return primitive(tags.utf8String, Buffer.from(text, 'utf8'));
}

/** UTCTime through 2049, GeneralizedTime from 2050 on, both in whole seconds and UTC (RFC 5280 4.1.2.5). */
export function time(date: Date): Der {
  const digits = date.toISOString().replace(/[-:T]/g, '').slice(0, 14);
  return date.getUTCFullYear() < 2050
    ? primitive(tags.utcTime, Buffer.from(`${digits.slice(2)}Z`, 'latin1'))
    : primitive(tags.generalizedTime, Buffer.from(`${digits}Z`, 'latin1'));
}

/** `[tag] EXPLICIT`: wraps a value. */
export function explicit(tag: number, child: Der): Der {
  return {tagClass: tagClasses.context, tag, children: [child]};
}

/** `[tag] IMPLICIT` of a primitive type. */
export function implicit(tag: number, content: Uint8Array): Der {
  return {tagClass: tagClasses.context, tag, content: Buffer.from(content)};
}

// Decoding. Each function throws a plain Error that names the expected value.

/** Whether a value has this universal tag. */
export function isTag<Tag extends number>(value: Der | undefined, tag: Tag): value is Der & {readonly tag: Tag} {
  return value?.tagClass === tagClasses.universal && value.tag === tag;
}

/** Whether a value has the context-specific `[tag]`. */
export function isContext<Tag extends number>(value: Der | undefined, tag: Tag): value is Der & {readonly tag: Tag} {
  return value?.tagClass === tagClasses.context && value.tag === tag;
}

/** The children of a constructed value of any tag. */
export function childrenOf(value: Der | undefined, what: string): readonly Der[] {
  if (!value?.children) throw new Error(`${what} is missing or not constructed`);
  return value.children;
}

/** The content bytes of a primitive value of any tag. */
export function contentOf(value: Der | undefined, what: string): Buffer {
  if (!value?.content) throw new Error(`${what} is missing or not primitive`);
  return value.content;
}

/** The children of a SEQUENCE. */
export function readSequence(value: Der | undefined, what: string): readonly Der[] {
  if (!isTag(value, tags.sequence)) throw new Error(`${what} is not a SEQUENCE`);
  return childrenOf(value, what);
}

/** The children of a SET. */
export function readSet(value: Der | undefined, what: string): readonly Der[] {
  if (!isTag(value, tags.set)) throw new Error(`${what} is not a SET`);
  return childrenOf(value, what);
}

function readPrimitive(value: Der | undefined, tag: number, what: string): Buffer {
  if (!isTag(value, tag)) throw new Error(`${what} has the wrong type`);
  return contentOf(value, what);
}

/** Go refuses larger components (cryptobyte asn1.go, readBase128Int), except in policies. */
const maxComponent = 2n ** 31n - 1n;

/** An object identifier in dotted form. */
export function readOid(value: Der | undefined, what: string): string {
  const components = componentsOf(readPrimitive(value, tags.oid, what));
  if (components.some((one) => one > maxComponent)) throw new Error(`${what} has a component that istiod cannot read`);
  return components.join('.');
}

/** An object identifier in dotted form, with components of any size. */
export function readLargeOid(value: Der | undefined, what: string): string {
  return componentsOf(readPrimitive(value, tags.oid, what)).join('.');
}

/** An integer as its two's complement bytes. */
export function readInteger(value: Der | undefined, what: string): Buffer {
  const content = readPrimitive(value, tags.integer, what);
  if (content.length === 0) throw new Error(`${what} is an empty integer`);
  return content;
}

/** A non-negative integer that fits into a JavaScript number. */
export function readSmallInteger(value: Der | undefined, what: string): number {
  const content = readInteger(value, what);
  if (content.length > 6 || (content[0] ?? 0) >= 0x80) throw new Error(`${what} is out of range`);
  return content.readUIntBE(0, content.length);
}

export function readBoolean(value: Der | undefined, what: string): boolean {
  const content = readPrimitive(value, tags.boolean, what);
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff))
    throw new Error(`${what} is not a DER boolean`);
  return content[0] === 0xff;
}

export function readOctetString(value: Der | undefined, what: string): Buffer {
  return readPrimitive(value, tags.octetString, what);
}

/** A BIT STRING: its bytes, and the number of unused low bits in the last one. */
export function readBitString(value: Der | undefined, what: string): {readonly bytes: Buffer; readonly unused: number} {
  const content = readPrimitive(value, tags.bitString, what);
  const unused = content[0];
  if (unused === undefined || unused > 7 || (content.length === 1 && unused > 0)) {
    throw new Error(`${what} is not a valid BIT STRING`);
  }
  return {bytes: content.subarray(1), unused};
}
