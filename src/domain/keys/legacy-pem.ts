/**
 * Keys encrypted by PEM's own headers (RFC 1421 `DEK-Info`; `openssl rsa -traditional -aes256`). One round of MD5 turns the
 * passphrase into the cipher's key, so that they protect little; they are opened to be written anew.
 */
import {createHash, getCipherInfo} from 'node:crypto';
import {MeshError} from '../errors.js';
import type {PemBlock} from '../asn1/pem.js';
import {decryptBlocks, requireKeyShape, unsupportedCipher} from './pkcs8.js';

/** `AES-256-CBC,3452EB37…`: OpenSSL's name of the cipher, and the initialization vector (openssl-format-options, PEM). */
const dekInfo = /^([A-Za-z0-9-]+),([0-9A-Fa-f]+)$/;
/** Of the salt: the first bytes of the initialization vector (OpenSSL crypto/pem/pem_lib.c, PEM_do_header). */
const saltLength = 8;

/** The cipher as DEK-Info names it, in lower case; `unknown` where it names none. */
export function legacyCipher({headers}: PemBlock): string {
  return headers['DEK-Info']?.split(',')[0]?.trim().toLowerCase() ?? 'unknown';
}

/**
 * Decrypts the block to the DER of its label. Throws `WRONG_PASSPHRASE`, `NOT_A_KEY` for headers or data that are broken,
 * and `UNSUPPORTED_KEY` for a cipher that is not known here or that OpenSSL has put away (DES).
 */
export function decryptLegacyPem(block: PemBlock, passphrase: string, what: string): Buffer {
  const match = dekInfo.exec(block.headers['DEK-Info']?.trim() ?? '');
  const name = legacyCipher(block);
  const cipher = match ? getCipherInfo(name) : undefined;
  if (!match) throw new MeshError('NOT_A_KEY', `${what}: the header DEK-Info of the encrypted key is broken`);
  if (cipher?.mode !== 'cbc') throw unsupportedCipher(name, what);
  const iv = Buffer.from(match[2] ?? '', 'hex');
  if (iv.length !== cipher.ivLength) {
    throw new MeshError('NOT_A_KEY', `${what}: the initialization vector in DEK-Info is not one of ${name}`);
  }
  if (block.bytes.length % iv.length !== 0) {
    throw new MeshError('NOT_A_KEY', `${what}: the encrypted data is cut off`);
  }
  const secret = bytesToKey(passphrase, iv.subarray(0, saltLength), cipher.keyLength);
  return requireKeyShape(decryptBlocks(name, secret, iv, block.bytes, what), what);
}

/** OpenSSL's EVP_BytesToKey with MD5 and one round (openssl-EVP_BytesToKey). */
function bytesToKey(passphrase: string, salt: Buffer, length: number): Buffer {
  let key = Buffer.alloc(0);
  let last = Buffer.alloc(0);
  while (key.length < length) {
    last = createHash('md5').update(last).update(passphrase, 'utf8').update(salt).digest();
    key = Buffer.concat([key, last]);
  }
  return key.subarray(0, length);
}
