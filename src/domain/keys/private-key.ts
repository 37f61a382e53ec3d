/**
 * Private keys as PEM texts: parses, decrypts and encrypts them, and determines whether istiod can read them. With
 * `embedded-keys.ts` and `recognize.ts` the only file of the domain that reveals a Sensitive: key texts stay Sensitive, and
 * the results are node:crypto's KeyObject (which prints nothing) and public facts.
 */
import {createPrivateKey, getCipherInfo, type KeyObject} from 'node:crypto';
import {asMeshError, MeshError, recover} from '../errors.js';
import {Sensitive} from '../sensitive.js';
import {readDer, readSequence} from '../asn1/der.js';
import {describeKey, type KeyDescription, publicHalf, spkiHash} from './keys.js';
import {type PlainForm, readPrivateKeyFields, RefusedKey} from './private-key-fields.js';
import {requirePassphrase} from './passphrase.js';
import {encodePem, parsePem, type PemBlock} from '../asn1/pem.js';
import {
  decryptPkcs8,
  encryptPkcs8,
  type KeyEncryption,
  openWithOpenssl,
  readEncryption,
  unsupportedCipher,
} from './pkcs8.js';

/**
 * Matches a text that may contain a private key, as a POSIX extended regular expression: a PEM block, or the beginning of
 * one in base64, as in the manifest of a Secret.
 */
export const keyPattern =
  '-----BEGIN ([A-Z]+ )*PRIVATE KEY-----|LS0tLS1CRUdJTi(BQUklWQVRFIEtFW|BSU0EgUFJJVkFURSBLRV|BFQyBQUklWQVRFIEtFW|BFTkNSWVBURUQgUFJJVkFURSBLRV)';

/** The encoding of a private key. */
export type PrivateKeyForm = 'pkcs8' | 'pkcs1' | 'sec1' | 'encrypted-pkcs8' | 'encrypted-legacy' | 'unsupported';

/** The facts about a private key that its text shows without a passphrase. */
export interface PrivateKeyFacts {
  readonly form: PrivateKeyForm;
  /** The PEM type of the first block, which decides how istiod reads the key. */
  readonly label: string;
  /** Absent if the key is encrypted or its form is unsupported. */
  readonly key?: KeyObject;
  readonly description?: KeyDescription;
  /** SHA-256 of the public key. */
  readonly spki?: string;
  readonly encryption?: KeyEncryption;
  /** Why istiod cannot load the key as ca-key.pem; absent if it can. */
  readonly refusal?: string;
}

/**
 * Reads a key text. Throws `NOT_PEM`, and `NOT_A_KEY` if the first block is something else (a certificate, a public key) or
 * its bytes are not a key.
 */
export function readPrivateKey(pem: Sensitive<string>, what: string): PrivateKeyFacts {
  return readPrivateKeyBlocks(parsePem(pem.reveal(), what).blocks, what);
}

/** Whether a text is a single private key as PEM, so that rewriting the key loses nothing else. */
export function isSingleKey(text: Sensitive<string>): boolean {
  return /^\s*-----BEGIN ([A-Z ]*PRIVATE KEY)-----[^-]*-----END \1-----\s*$/.test(text.reveal());
}

/** Like {@link readPrivateKey}, for a text that is already parsed as PEM. */
export function readPrivateKeyBlocks(blocks: readonly PemBlock[], what: string): PrivateKeyFacts {
  const first = blocks[0];
  if (!first) throw new MeshError('NOT_PEM', `${what}: no PEM block found`);
  const {label} = first;
  if (label === 'EC PARAMETERS') {
    // `openssl ecparam -genkey` writes the curve before the key; istiod reads only the first block.
    const second = blocks[1];
    const key = second?.label === 'EC PRIVATE KEY' ? plainFacts(second, 'sec1', what) : undefined;
    return {
      ...(key ?? {form: 'unsupported'}),
      label,
      refusal:
        'the block "EC PARAMETERS" precedes the key, and istiod reads only the first block; to remove it: openssl pkey -in KEY -out NEW-KEY',
    };
  }
  if (label === 'ENCRYPTED PRIVATE KEY') {
    return {
      form: 'encrypted-pkcs8',
      label,
      encryption: readEncryption(first.bytes, what),
      refusal: 'the key is encrypted, and istiod has no passphrase for it',
    };
  }
  if (first.headers['Proc-Type']?.includes('ENCRYPTED') === true) {
    return {
      form: 'encrypted-legacy',
      label,
      // One round of MD5 derives the key from the passphrase (OpenSSL EVP_BytesToKey).
      encryption: {cipher: legacyCipher(first), kdf: 'md5', weak: true},
      refusal: 'the key is encrypted, and istiod has no passphrase for it',
    };
  }
  const form = plainForms[label];
  if (form) return plainFacts(first, form, what);
  if (label.endsWith('PRIVATE KEY')) {
    return {form: 'unsupported', label, refusal: `istiod does not support keys of PEM type "${label}"`};
  }
  throw new MeshError('NOT_A_KEY', `${what}: contains a ${label.toLowerCase()}, not a private key`);
}

/** PEM types that istiod reads (istio/istio security/pkg/pki/util/crypto.go, ParsePemEncodedKey). */
const plainForms: Readonly<Record<string, PlainForm>> = {
  'PRIVATE KEY': 'pkcs8',
  'RSA PRIVATE KEY': 'pkcs1',
  'EC PRIVATE KEY': 'sec1',
};

function plainFacts(block: PemBlock, form: PlainForm, what: string): PrivateKeyFacts {
  const {label} = block;
  const opened = recover(
    () => openKey(block.bytes, form, what),
    ({code, message}) => {
      if (code !== 'UNSUPPORTED_KEY') throw new MeshError(code, message);
      return message.slice(what.length + 2);
    },
  );
  if (typeof opened === 'string') return {form, label, refusal: opened};
  return {form, label, key: opened, description: describeKey(opened), spki: spkiHash(publicHalf(opened))};
}

/** The key in decoded bytes. Throws `NOT_A_KEY` if they are not DER, and `UNSUPPORTED_KEY` for what istiod refuses. */
function openKey(bytes: Buffer, form: PlainForm, what: string): KeyObject {
  const value = readDer(bytes, 'NOT_A_KEY', what, (one) => {
    readSequence(one, 'private key');
    return one;
  });
  try {
    return readPrivateKeyFields(value, form);
  } catch (thrown) {
    const code = thrown instanceof RefusedKey ? 'UNSUPPORTED_KEY' : 'NOT_A_KEY';
    throw new MeshError(code, `${what}: ${asMeshError(thrown).message}`, {cause: thrown});
  }
}

/**
 * The private key of a text, decrypted in memory if it is encrypted; `passphrase` is called only then, and again while it
 * is wrong and `retry` returns true. Throws `WRONG_PASSPHRASE`, `NOT_PEM`, `NOT_A_KEY`, `UNSUPPORTED_KEY`, and the errors
 * of `passphrase`.
 */
export async function openPrivateKey(
  pem: Sensitive<string>,
  passphrase: () => Promise<Sensitive<string>>,
  what: string,
  retry: (wrong: MeshError) => boolean = () => false,
): Promise<KeyObject> {
  for (;;) {
    try {
      return await openOnce(pem, passphrase, what);
    } catch (thrown) {
      if (!(thrown instanceof MeshError) || thrown.code !== 'WRONG_PASSPHRASE' || !retry(thrown)) throw thrown;
    }
  }
}

async function openOnce(
  pem: Sensitive<string>,
  passphrase: () => Promise<Sensitive<string>>,
  what: string,
): Promise<KeyObject> {
  const {blocks} = parsePem(pem.reveal(), what);
  const facts = readPrivateKeyBlocks(blocks, what);
  if (facts.key) return facts.key;
  if (facts.encryption === undefined && facts.refusal !== undefined) {
    throw new MeshError('UNSUPPORTED_KEY', `${what}: ${facts.refusal}`);
  }
  const first = blocks[0];
  if (facts.form === 'encrypted-pkcs8' && first) {
    const key = await decryptPkcs8(first.bytes, (await passphrase()).reveal(), what);
    return openKey(key, 'pkcs8', what);
  }
  if (facts.form === 'encrypted-legacy' && first && first.label in plainForms) {
    return openLegacyPem(first, (await passphrase()).reveal(), what);
  }
  throw new MeshError('UNSUPPORTED_KEY', `${what}: keys of PEM type "${facts.label}" are not supported`);
}

/** A key as unencrypted PEM, which istiod reads without a passphrase: the form of ca-key.pem. */
export function writePrivateKey(key: KeyObject, form: PlainForm = 'pkcs8'): Sensitive<string> {
  const label = Object.keys(plainForms).find((one) => plainForms[one] === form) ?? '';
  // The types of node:crypto separate RSA from EC keys.
  const der = key.export({type: form as 'pkcs8', format: 'der'});
  return new Sensitive(encodePem(label, der));
}

/**
 * The key that istiod reads from a text, as one block of the same PEM type; undefined if istiod cannot read it. Encoded from
 * the key itself: a block can have other contents (RFC 5958, attributes), and a text other blocks.
 */
export function canonicalKey(pem: Sensitive<string>): Sensitive<string> | undefined {
  return recover(
    () => {
      const {blocks} = parsePem(pem.reveal(), 'key');
      const {key, form, spki, refusal} = readPrivateKeyBlocks(blocks, 'key');
      const [first] = blocks;
      if (!first || !key || refusal !== undefined || !isPlainForm(form)) return undefined;
      // OpenSSL's reading keeps the public half of an EC key, which most tools write; it must be the right one.
      const read = openWithItsPublicHalf(first.bytes, form);
      return writePrivateKey(read && spkiHash(publicHalf(read)) === spki ? read : key, form);
    },
    () => undefined,
  );
}

function isPlainForm(form: PrivateKeyForm): form is PlainForm {
  return Object.values(plainForms).some((one) => one === form);
}

function openWithItsPublicHalf(der: Buffer, form: PlainForm): KeyObject | undefined {
  try {
    return createPrivateKey({key: der, format: 'der', type: form});
  } catch {
    // OpenSSL requires the length of an EC key to be that of its curve; istiod does not.
    return undefined;
  }
}

/** A key as encrypted PKCS#8 PEM, see {@link encryptPkcs8}. Throws `PASSPHRASE_NEEDED` for an empty passphrase. */
export async function writeEncryptedKey(
  key: KeyObject,
  passphrase: Sensitive<string>,
  random: Buffer,
): Promise<Sensitive<string>> {
  const secret = requirePassphrase(passphrase).reveal();
  const bytes = await encryptPkcs8(key.export({type: 'pkcs8', format: 'der'}), secret, random);
  return new Sensitive(encodePem('ENCRYPTED PRIVATE KEY', bytes));
}

/** `AES-256-CBC,3452EB37…`: OpenSSL's cipher name and the initialization vector (openssl-format-options, PEM). */
const dekInfo = /^[A-Za-z0-9-]+,((?:[0-9A-Fa-f]{2})+)$/;

/** The cipher in DEK-Info, in lower case; `unknown` without one. */
export function legacyCipher({headers}: PemBlock): string {
  return headers['DEK-Info']?.split(',')[0]?.trim().toLowerCase() ?? 'unknown';
}

/**
 * Decrypts a legacy PEM key. Throws `WRONG_PASSPHRASE`, `NOT_A_KEY` for headers or data that no passphrase can decrypt, and
 * `UNSUPPORTED_KEY` for a cipher that is unknown or only in OpenSSL's legacy provider (DES).
 */
export function openLegacyPem(block: PemBlock, passphrase: string, what: string): KeyObject {
  const header = block.headers['DEK-Info']?.trim() ?? '';
  const name = legacyCipher(block);
  const vector = dekInfo.exec(header)?.[1];
  if (vector === undefined)
    throw new MeshError('NOT_A_KEY', `${what}: the DEK-Info header of the encrypted key is invalid`);
  const cipher = getCipherInfo(name);
  if (cipher?.mode !== 'cbc') throw unsupportedCipher(name, what);
  if (vector.length / 2 !== cipher.ivLength) {
    throw new MeshError('NOT_A_KEY', `${what}: the initialization vector in DEK-Info has the wrong length for ${name}`);
  }
  if (block.bytes.length % cipher.ivLength !== 0) {
    throw new MeshError('NOT_A_KEY', `${what}: the encrypted data is truncated`);
  }
  const headers = `Proc-Type: 4,ENCRYPTED\nDEK-Info: ${header}\n\n`;
  const key = encodePem(block.label, block.bytes).replace('\n', `\n${headers}`);
  return openKey(openWithOpenssl({key, format: 'pem', passphrase}, name, what), 'pkcs8', what);
}
