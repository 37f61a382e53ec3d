/**
 * Text and times in DER. Accepts the characters that each string type may contain (X.680 41), plus `*` and `&` in
 * PrintableString, as Go (crypto/x509 parser.go, parseASN1String) and BoringSSL do; Go refuses any other.
 */
import {contentOf, type Der, isTag, OutsideProfile, RefusedByProxies, tagClasses, tags} from './der.js';

interface StringType {
  readonly name: string;
  /** The text, or undefined if the content is not allowed in this type. */
  readonly read: (content: Buffer) => string | undefined;
}

const ascii =
  (allowed: RegExp) =>
  (content: Buffer): string | undefined => {
    const text = content.toString('latin1');
    return allowed.test(text) ? text : undefined;
  };

const stringTypes: Readonly<Record<number, StringType>> = {
  [tags.utf8String]: {name: 'UTF8String', read: readUtf8},
  [tags.printableString]: {name: 'PrintableString', read: ascii(/^[A-Za-z0-9 '()+,\-./:=?*&]*$/)},
  [tags.numericString]: {name: 'NumericString', read: ascii(/^[0-9 ]*$/)},

  [tags.ia5String]: {name: 'IA5String', read: ascii(/^[\x00-\x7f]*$/)},
  [tags.teletexString]: {name: 'TeletexString', read: (content) => content.toString('latin1')},
  [tags.bmpString]: {name: 'BMPString', read: readBmp},
};

function readUtf8(content: Buffer): string | undefined {
  const text = content.toString('utf8');
  return Buffer.from(text, 'utf8').equals(content) ? text : undefined;
}

/** UCS-2 without surrogates and noncharacters. */
function readBmp(content: Buffer): string | undefined {
  if (content.length % 2 !== 0) return undefined;
  const text = Buffer.from(content).swap16().toString('utf16le');
  return /[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]/.test(text) ? undefined : text;
}

/**
 * Text of a string type that names use (RFC 5280 4.1.2.4); TeletexString is read as Latin-1, as Go and BoringSSL do. Throws
 * a plain Error for what Go refuses, {@link RefusedByProxies}, and {@link OutsideProfile} for NUL.
 */
export function readText(value: Der | undefined, what: string): string {
  const type = value?.tagClass === tagClasses.universal ? stringTypes[value.tag] : undefined;
  if (!type) throw new Error(`${what} is not of a string type that istiod reads`);
  const text = type.read(contentOf(value, what));
  if (text === undefined) throw new Error(`${what} contains characters that a ${type.name} must not contain`);
  // BoringSSL (bytestring/unicode.cc, is_valid_code_point); Go accepts them in UTF8String.
  if (/\p{Noncharacter_Code_Point}/u.test(text)) throw new RefusedByProxies(`${what} contains a Unicode noncharacter`);
  // Programs in C end a text here.
  if (text.includes('\0')) throw new OutsideProfile(`${what} contains a NUL character`);
  return text;
}

const timePattern = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;
/** Forms that Go also accepts (cryptobyte asn1.go, ReadASN1UTCTime): without seconds, or with an offset from UTC. */
const unusualTime = /^(\d{10}|\d{12}|\d{14})(Z|[+-]\d{4})$/;

/**
 * A time in one of the two forms of RFC 5280 4.1.2.5. Throws a plain Error, and {@link OutsideProfile} for forms that only
 * some programs accept.
 */
export function readTime(value: Der | undefined, what: string): Date {
  const utc = isTag(value, tags.utcTime);
  if (!utc && !isTag(value, tags.generalizedTime)) throw new Error(`${what} is not a time`);
  const text = contentOf(value, what).toString('latin1');
  const match = timePattern.exec(text);
  if (match?.[1]?.length !== (utc ? 2 : 4)) {
    if (unusualTime.test(text)) throw new OutsideProfile(`${what} is not in the form that RFC 5280 requires`);
    throw new Error(`${what} is not a valid time`);
  }
  const short = Number(match[1]);
  // RFC 5280 4.1.2.5.1: two-digit years 50 to 99 are 1950 to 1999.
  const year = utc ? (short >= 50 ? 1900 + short : 2000 + short) : short;
  const iso = `${String(year).padStart(4, '0')}-${match.slice(2, 4).join('-')}T${match.slice(4, 7).join(':')}.000Z`;
  const date = new Date(iso);
  // Catches dates such as 31 February, which the Date constructor rejects or rolls over.
  if (Number.isNaN(date.getTime()) || date.toISOString() !== iso) throw new Error(`${what} is not a valid time`);
  return date;
}
