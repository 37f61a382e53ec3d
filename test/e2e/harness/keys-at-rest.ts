/** Finds private keys in files, to verify that the root key is never written to one. */
import {createPrivateKey, createPublicKey, type KeyObject, X509Certificate} from 'node:crypto';
import {readdirSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';

const blocks = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]+-----END [A-Z ]*PRIVATE KEY-----/g;

/** Files below a directory that hold the private key of a certificate, or an encrypted one, which could be it. */
export function filesWithKeyOf(directory: string, certificatePem: string): readonly string[] {
  const spki = (key: KeyObject): string => key.export({type: 'spki', format: 'pem'}).toString();
  const wanted = spki(new X509Certificate(certificatePem).publicKey);
  return readdirSync(directory, {recursive: true, encoding: 'utf8'})
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile())
    .filter((path) => {
      const keys = readFileSync(path, 'utf8').match(blocks) ?? [];
      return keys.some((key) => key.includes('ENCRYPTED') || spki(createPublicKey(createPrivateKey(key))) === wanted);
    });
}
