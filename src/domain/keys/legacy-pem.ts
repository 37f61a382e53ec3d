/**
 * Keys encrypted by PEM's own headers (RFC 1421 `DEK-Info`; `openssl rsa -traditional -aes256`). One round of MD5 turns the
 * passphrase into the cipher's key, so that they protect little; they are opened to be written anew.
 */
import {getCipherInfo, type KeyObject} from 'node:crypto';
import {MeshError} from '../errors.js';
import {encodePem, type PemBlock} from '../asn1/pem.js';
import {openWithOpenssl, unsupportedCipher} from './pkcs8.js';

/** `AES-256-CBC,3452EB37…`: OpenSSL's name of the cipher, and the initialization vector (openssl-format-options, PEM). */
const dekInfo = /^[A-Za-z0-9-]+,((?:[0-9A-Fa-f]{2})+)$/;

/** The cipher as DEK-Info names it, in lower case; `unknown` where it names none. */
export function legacyCipher({headers}: PemBlock): string {
  return headers['DEK-Info']?.split(',')[0]?.trim().toLowerCase() ?? 'unknown';
}

/**
 * Opens the key. Throws `WRONG_PASSPHRASE`, `NOT_A_KEY` for headers or data that are broken whatever the passphrase is, and
 * `UNSUPPORTED_KEY` for a cipher that is not known here or that OpenSSL has put away (DES).
 */
export function openLegacyPem(block: PemBlock, passphrase: string, what: string): KeyObject {
  const header = block.headers['DEK-Info']?.trim() ?? '';
  const name = legacyCipher(block);
  const vector = dekInfo.exec(header)?.[1];
  if (vector === undefined)
    throw new MeshError('NOT_A_KEY', `${what}: the header DEK-Info of the encrypted key is broken`);
  const cipher = getCipherInfo(name);
  if (cipher?.mode !== 'cbc') throw unsupportedCipher(name, what);
  if (vector.length / 2 !== cipher.ivLength) {
    throw new MeshError('NOT_A_KEY', `${what}: the initialization vector in DEK-Info is not one of ${name}`);
  }
  if (block.bytes.length % cipher.ivLength !== 0) {
    throw new MeshError('NOT_A_KEY', `${what}: the encrypted data is cut off`);
  }
  const headers = `Proc-Type: 4,ENCRYPTED\nDEK-Info: ${header}\n\n`;
  const key = encodePem(block.label, block.bytes).replace('\n', `\n${headers}`);
  return openWithOpenssl({key, format: 'pem', passphrase}, name, what);
}
