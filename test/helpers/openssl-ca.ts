/** CAs and certificates made by openssl, as foreign ones come: for tests of what is refused. */
import {generateKeyPairSync} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {openssl, temporaryFiles} from './openssl.js';

/** A key with its certificate, as texts. */
export interface OpensslCa {
  /** PKCS#8. */
  readonly key: string;
  readonly certificate: string;
}

/** What the certificate is to be. */
export interface OpensslCaOptions {
  /** As `-subj` takes it: `/O=Acme/CN=Root`. */
  readonly subject: string;
  /** Absent: self-signed. */
  readonly issuer?: OpensslCa;
  /** `NAME=VALUE` lines. Default: a CA that may sign CAs. */
  readonly extensions?: readonly string[];
  /** Default: a new P-256 key. */
  readonly key?: string;
  /** More arguments of `openssl x509` or `openssl req -x509`, such as `-sha1`, `-days 1`. */
  readonly more?: readonly string[];
}

const p256 = {
  namedCurve: 'P-256',
  privateKeyEncoding: {type: 'pkcs8', format: 'pem'},
  publicKeyEncoding: {type: 'spki', format: 'pem'},
} as const;

/** Makes it. */
export function opensslCa(options: OpensslCaOptions): OpensslCa {
  const {subject, issuer, more = []} = options;
  const extensions = options.extensions ?? ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'];
  // Half the time of another process.
  const key = options.key ?? generateKeyPairSync('ec', p256).privateKey;
  const path = temporaryFiles({
    key,
    'request.pem': '',
    'made.pem': '',
    'extensions.conf': ['subjectKeyIdentifier=hash', ...extensions, ''].join('\n'),
    'request.conf': '[req]\ndistinguished_name=dn\n[dn]\n',
    'issuer.pem': issuer?.certificate ?? '',
    'issuer-key.pem': issuer?.key ?? '',
  });
  const request = ['-new', '-key', path('key'), '-subj', subject, '-config', path('request.conf')];
  openssl(['req', ...request, '-out', path('request.pem')]);
  const by = issuer ? ['-CA', path('issuer.pem'), '-CAkey', path('issuer-key.pem')] : ['-signkey', path('key')];
  openssl([
    ...['x509', '-req', '-in', path('request.pem'), '-extfile', path('extensions.conf'), '-days', '365'],
    ...[...by, '-out', path('made.pem'), ...more],
  ]);
  return {key, certificate: readFileSync(path('made.pem'), 'utf8')};
}
