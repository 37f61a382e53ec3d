/** Revocation lists, made by openssl. */
import {readFileSync} from 'node:fs';
import {writePrivateKey} from '../../src/domain/keys/private-key.js';
import {openssl, temporaryFiles} from './openssl.js';
import type {TinyCa} from './tiny-ca.js';

/** What is other than usual in a list. */
export interface CrlOptions {
  /** 1: as openssl makes it where its configuration names no extensions. */
  readonly version?: 1 | 2;
  /** Further arguments of `openssl ca -gencrl`. */
  readonly arguments?: readonly string[];
}

/** A list that revokes nobody, signed by a CA. */
export function crlOf({certificate, key}: Pick<TinyCa, 'certificate' | 'key'>, options: CrlOptions = {}): string {
  const path = temporaryFiles({
    'ca.pem': certificate.pem,
    'key.pem': writePrivateKey(key).reveal(),
    'index.txt': '',
  });
  const configuration = [
    '[ca]',
    'default_ca = one',
    '[one]',
    `database = ${path('index.txt')}`,
    'default_md = sha256',
    'default_crl_days = 30',
    ...(options.version === 1 ? [] : ['crl_extensions = two', '[two]', 'authorityKeyIdentifier = keyid']),
  ];
  const config = temporaryFiles({'openssl.cnf': `${configuration.join('\n')}\n`})('openssl.cnf');
  const out = path('crl.pem');
  const words = ['-config', config, '-cert', path('ca.pem'), '-keyfile', path('key.pem'), '-out', out];
  openssl(['ca', '-gencrl', ...words, ...(options.arguments ?? [])]);
  return readFileSync(out, 'utf8');
}
