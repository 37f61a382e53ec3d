/** A company's CA, as openssl makes one: hierarchies of any depth, and every mistake that a CA can make. */
import {generateKeyPairSync} from 'node:crypto';
import {mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {openssl} from './openssl.js';

/** How a certificate is signed. Everything has the value of a CA that does it right. */
export interface SignOptions {
  /** Lines of openssl's extension section. */
  readonly extensions?: readonly string[];
  /** `/CN=…`; absent: the request's own. */
  readonly subject?: string;
  /** `20300101000000Z` */
  readonly start?: string;
  readonly end?: string;
  readonly digest?: string;
  /** Options of the signature (`openssl ca -sigopt`): `rsa_padding_mode:pss`. */
  readonly signature?: readonly string[];
}

/** What the extensions of a subordinate CA are. */
export const subordinate = [
  'basicConstraints=critical,CA:TRUE,pathlen:0',
  'keyUsage=critical,digitalSignature,keyCertSign,cRLSign',
  'subjectKeyIdentifier=hash',
  'authorityKeyIdentifier=keyid',
];

/** The same without path length: a CA that other CAs stand below. */
export const policy = ['basicConstraints=critical,CA:TRUE', ...subordinate.slice(1)];

/** How a CA's own key and certificate are made. */
export interface CaOptions extends SignOptions {
  /** Arguments of `openssl genpkey`; default: P-256. */
  readonly key?: readonly string[];
}

const p256 = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];

/** One CA of the hierarchy. */
export class CorporateCa {
  private constructor(
    private readonly directory: string,
    /** Its certificate, as PEM. */
    readonly pem: string,
    readonly certificatePath: string,
  ) {}

  /** A self-signed root. */
  static root(subject = '/C=DE/O=Example AG/CN=Example Root CA', options: CaOptions = {}): CorporateCa {
    const directory = prepare();
    const request = makeRequest(directory, subject, options.key);
    const pem = runCa(directory, request, {extensions: policy.slice(0, 3), ...options}, ['-selfsign']);
    return CorporateCa.keep(directory, pem);
  }

  /** A CA below this one. */
  below(subject: string, options: CaOptions = {}): CorporateCa {
    const directory = prepare();
    const request = makeRequest(directory, subject, options.key);
    return CorporateCa.keep(directory, this.sign(request, {extensions: policy, ...options}));
  }

  /** Another certificate for the key of `other`: renewed, or cross-signed. */
  certify(other: CorporateCa, options: SignOptions = {}): CorporateCa {
    const request = readFileSync(join(other.directory, 'own.csr'), 'utf8');
    const pem = this.sign(request, {extensions: policy, ...options});
    const directory = prepare();
    writeFileSync(join(directory, 'key.pem'), readFileSync(join(other.directory, 'key.pem')));
    writeFileSync(join(directory, 'own.csr'), request);
    return CorporateCa.keep(directory, pem);
  }

  /** Signs a request, as PEM. */
  sign(request: string, options: SignOptions = {}): string {
    return runCa(this.directory, request, {extensions: subordinate, ...options}, ['-cert', this.certificatePath]);
  }

  private static keep(directory: string, pem: string): CorporateCa {
    const path = join(directory, 'ca.pem');
    writeFileSync(path, pem);
    return new CorporateCa(directory, pem, path);
  }
}

/** A request by openssl, with a key of its own. */
export function foreignRequest(subject: string, key: readonly string[] = p256): string {
  return makeRequest(prepare(), subject, key);
}

/** PKCS#7 of certificates, as `openssl crl2pkcs7` makes it. */
export function pkcs7(certificates: readonly string[], form: 'PEM' | 'DER'): Buffer {
  const directory = prepare();
  const path = join(directory, 'all.pem');
  const out = join(directory, 'all.p7b');
  writeFileSync(path, certificates.join(''));
  openssl(['crl2pkcs7', '-nocrl', '-certfile', path, '-outform', form, '-out', out]);
  return readFileSync(out);
}

function prepare(): string {
  const directory = mkdtempSync(join(tmpdir(), 'kubectl-mesh-ca-'));
  const config = [
    '[ca]',
    'default_ca = one',
    '[one]',
    `database = ${join(directory, 'index.txt')}`,
    `new_certs_dir = ${directory}`,
    'rand_serial = yes',
    'policy = any',
    'default_days = 365',
    'default_md = sha256',
    'unique_subject = no',
    'email_in_dn = no',
    'preserve = yes',
    '[any]',
    ...['C', 'ST', 'L', 'O', 'OU', 'CN'].map((field) => `${field} = optional`),
    '[req]',
    'distinguished_name = dn',
    '[dn]',
  ];
  writeFileSync(join(directory, 'openssl.cnf'), `${config.join('\n')}\n`);
  writeFileSync(join(directory, 'index.txt'), '');
  return directory;
}

function makeRequest(directory: string, subject: string, key: readonly string[] = p256): string {
  const keyPath = join(directory, 'key.pem');
  if (key === p256) {
    // Half the time of another process.
    const {privateKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'});
    writeFileSync(keyPath, privateKey.export({type: 'pkcs8', format: 'pem'}));
  } else openssl(['genpkey', ...key, '-out', keyPath]);
  const request = openssl([
    ...['req', '-new', '-config', join(directory, 'openssl.cnf'), '-utf8'],
    ...['-key', keyPath, '-subj', subject],
  ]);
  writeFileSync(join(directory, 'own.csr'), request);
  return request;
}

function runCa(directory: string, request: string, options: SignOptions, more: readonly string[]): string {
  const {extensions = [], subject, start, end, digest, signature = []} = options;
  const files = {request: join(directory, 'request.csr'), extensions: join(directory, 'extensions.cnf')};
  writeFileSync(files.request, request);
  writeFileSync(files.extensions, `[v3]\n${extensions.join('\n')}\n`);
  return openssl([
    ...['ca', '-batch', '-notext', '-config', join(directory, 'openssl.cnf'), '-in', files.request],
    ...['-keyfile', join(directory, 'key.pem'), '-extfile', files.extensions, '-extensions', 'v3'],
    ...(subject === undefined ? [] : ['-subj', subject]),
    ...(start === undefined ? [] : ['-startdate', start]),
    ...(end === undefined ? ['-days', '365'] : ['-enddate', end]),
    ...(digest === undefined ? [] : ['-md', digest]),
    ...signature.flatMap((one) => ['-sigopt', one]),
    ...more,
  ]);
}
