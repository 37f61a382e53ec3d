/**
 * Finds private keys anywhere in a text or in bytes: as PEM under any label, indented, in a JSON string, as DER, and as
 * base64 of these in the text around, wrapped, commented out or encoded several times. With `private-key.ts` and
 * `recognize.ts` the only file of the domain that reveals a Sensitive; the results are public facts.
 */
import {createPrivateKey, type KeyObject} from 'node:crypto';
import {decodeDer} from '../asn1/der.js';
import {defined} from '../defined.js';
import {recover} from '../errors.js';
import {LatestResults} from '../memoize.js';
import {Sensitive} from '../sensitive.js';
import {publicHalf, sha256Hex, spkiHash} from './keys.js';
import {type KeyEncryption, readEncryption} from './pkcs8.js';
import {type PlainForm, readPrivateKeyFields} from './private-key-fields.js';

/** A private key in a text. Neither `spki` nor `encryption`: a key that this program cannot open. */
export interface EmbeddedKey {
  /** The same for every encoding of a key: the hash of the public key, or of the encrypted or unreadable bytes. */
  readonly id: string;
  /** SHA-256 of the public key; absent if the key is encrypted or unreadable. */
  readonly spki?: string;
  readonly encryption?: KeyEncryption;
}

/** How many times a key can be base64-encoded: in a Secret, in a manifest of a Secret, in a copy of that. */
const maxEncodings = 3;
/** Shorter bodies of PEM blocks are placeholders in documentation: an Ed25519 key has 64 characters. */
const minKeyCharacters = 40;
/** Base64 of binary data has no runs of printable characters of this length: a decoded text is searched in turn. */
const printable = /[\t\r\n\x20-\x7e]{40,}/g;

/** Returns every private key in a text or in bytes, each once. */
export function embeddedKeys(content: Sensitive<string> | Sensitive<Buffer>): readonly EmbeddedKey[] {
  const value = content.reveal();
  const text = (typeof value === 'string' ? Buffer.from(value) : value).toString('latin1');
  const found = new Map<string, EmbeddedKey>();
  // UTF-16 has a zero byte next to each ASCII character.
  for (const one of text.includes('\0') ? [text, text.replaceAll('\0', '')] : [text]) {
    for (const key of keysInText(one, maxEncodings)) found.set(key.id, key);
  }
  return [...found.values()];
}

/** Whether a text that is not meant to be secret contains a private key. */
export function containsKey(text: string): boolean {
  return embeddedKeys(new Sensitive(text)).length > 0;
}

/** Whether a key is complete: others may be examples in documentation, which only look like a key. */
export function isReadable({spki, encryption}: EmbeddedKey): boolean {
  return spki !== undefined || encryption !== undefined;
}

/** `text`: one character for each byte. */
function keysInText(text: string, encodings: number): readonly EmbeddedKey[] {
  const own = [...keysInBytes(Buffer.from(text, 'latin1')), ...keysInPem(text)];
  if (encodings === 0) return own;
  const base64 = base64Of(text);
  // Other words precede the base64, so that it can begin at each of the four positions of its groups.
  const inside = [0, 1, 2, 3].flatMap((start) => {
    const bytes = Buffer.from(base64.slice(start), 'base64');
    const texts = encodings > 1 ? (bytes.toString('latin1').match(printable) ?? []) : [];
    return [...keysInBytes(bytes), ...texts.flatMap((one) => keysInText(one, encodings - 1))];
  });
  return [...own, ...inside];
}

/**
 * The characters of base64 in a text, without what separates wrapped lines: escaped line breaks, marks of comments. Each
 * expression begins a match at one place of a run only, so that hostile text takes linear time.
 */
function base64Of(text: string): string {
  return text
    .replace(/(?<!\\)\\+[nrt]/g, '\n')
    .replace(/^[ \t]*\/\/+\s/gm, '')
    .replace(/[^A-Za-z0-9+/]+/g, '');
}

/** PEM blocks whose content is not DER: legacy encryption (RFC 1421 headers), other formats, damaged keys. */
function keysInPem(text: string): readonly EmbeddedKey[] {
  const blocks = text.matchAll(/-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----([^-]*(?:-(?!-{4})[^-]*)*)/g);
  return [...blocks].flatMap(([, content = '']): readonly EmbeddedKey[] => {
    const cipher = /DEK-Info:\s*([A-Za-z0-9-]+)/.exec(content)?.[1];
    const body = base64Of(content.replace(/^[ \t]*[A-Za-z-]+:.*$/gm, ''));
    if (body.length < minKeyCharacters || keysInBytes(Buffer.from(body, 'base64')).length > 0) return [];
    // One round of MD5 derives the key from the passphrase (OpenSSL EVP_BytesToKey).
    const encryption = cipher === undefined ? undefined : {cipher: cipher.toLowerCase(), kdf: 'md5', weak: true};
    return [defined({id: sha256Hex(body), encryption})];
  });
}

/** The keys in DER at any position. */
function keysInBytes(bytes: Buffer): readonly EmbeddedKey[] {
  const found: EmbeddedKey[] = [];
  for (let at = bytes.indexOf(0x30); at !== -1; at = bytes.indexOf(0x30, at + 1)) {
    const key = keyAt(bytes, at);
    if (!key) continue;
    found.push(key.key);
    at = key.end - 1;
  }
  return found;
}

function keyAt(bytes: Buffer, at: number): {readonly key: EmbeddedKey; readonly end: number} | undefined {
  const outer = elementAt(bytes, at);
  if (!outer) return undefined;
  const content = bytes.subarray(outer.start, outer.end);
  const fields = fieldsOf(content);
  const tags = fields.map(({tag}) => tag.toString(16).padStart(2, '0')).join(' ');
  const der = bytes.subarray(at, outer.end);
  const form = (Object.keys(shapes) as PlainForm[]).find((one) => shapes[one].test(tags));
  const key = form !== undefined ? plainKey(der, form) : tags === '30 04' ? encryptedKey(content, der) : undefined;
  return key && {key, end: outer.end};
}

/** The tags of the fields of each form (RFC 5958, RFC 8017 A.1.2, RFC 5915). */
const shapes: Readonly<Record<PlainForm, RegExp>> = {
  pkcs8: /^02 30 04( [a8][01])*$/,
  pkcs1: /^02( 02){8}( 30)?$/,
  sec1: /^02 04( a[01])*$/,
};

/** A DER element: its tag, and where its content is. */
interface Element {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/** Undefined if it does not end within the bytes. */
function elementAt(bytes: Buffer, at: number): Element | undefined {
  const [tag, first] = [bytes[at], bytes[at + 1]];
  if (tag === undefined || first === undefined) return undefined;
  const size = first < 0x80 ? 0 : first & 0x7f;
  const start = at + 2 + size;
  if (first === 0x80 || size > 3 || start > bytes.length) return undefined;
  const end = start + (size === 0 ? first : bytes.readUIntBE(at + 2, size));
  return end > bytes.length ? undefined : {tag, start, end};
}

/** The fields of a sequence if they fill it exactly, and are as few as those of a key; otherwise none. */
function fieldsOf(content: Buffer): readonly Element[] {
  const fields: Element[] = [];
  let at = 0;
  while (at < content.length) {
    const field = elementAt(content, at);
    if (!field || fields.length === 10) return [];
    fields.push(field);
    at = field.end;
  }
  return fields;
}

/** A key is found several times: in a file and a Secret, and by several ways of decoding each. Opening it takes longest. */
const latest = new LatestResults<{readonly key: EmbeddedKey | undefined}>(64);

function plainKey(der: Buffer, form: PlainForm): EmbeddedKey | undefined {
  return latest.get(`${form} ${sha256Hex(der)}`, () => ({key: openedKey(der, form)})).key;
}

function openedKey(der: Buffer, form: PlainForm): EmbeddedKey | undefined {
  const key = openKey(der, form);
  if (key) {
    const spki = spkiHash(publicHalf(key));
    return {id: spki, spki};
  }
  return form === 'pkcs8' ? {id: sha256Hex(der)} : undefined;
}

/** First as istiod reads it, which computes the public half; otherwise as OpenSSL, which knows more kinds of keys. */
function openKey(der: Buffer, form: PlainForm): KeyObject | undefined {
  const attempts = [
    () => readPrivateKeyFields(decodeDer(der), form),
    () => createPrivateKey({key: der, format: 'der', type: form}),
  ];
  for (const attempt of attempts) {
    try {
      return attempt();
    } catch {
      // Most sequences are not keys.
    }
  }
  return undefined;
}

/** EncryptedPrivateKeyInfo (RFC 5958 3) with an algorithm of PKCS#5 or PKCS#12: 1.2.840.113549.1.5 and .12. */
function encryptedKey(content: Buffer, der: Buffer): EmbeddedKey | undefined {
  const algorithm = content.subarray(elementAt(content, 0)?.start).toString('hex', 0, 10);
  if (!/^06..2a864886f70d01(05|0c)$/.test(algorithm)) return undefined;
  const unknown: KeyEncryption = {cipher: 'unknown', kdf: 'unknown', weak: false};
  const encryption = recover(
    () => readEncryption(der, 'key'),
    () => unknown,
  );
  return {id: sha256Hex(der), encryption};
}
