/** Which server, mount and issuer, and how it is reached: what mesh.yaml says first, then the environment. */
import {isIPv4} from 'node:net';
import {homedir} from 'node:os';
import {resolve} from 'node:path';
import {createSecureContext, type SecureContext, type SecureContextOptions} from 'node:tls';
import {MeshError} from '../../domain/errors.js';
import {layout} from '../../domain/mesh/layout.js';
import type {SignerSpecOf} from '../../domain/mesh/signer.js';
import {printableLine} from '../../domain/printable.js';
import {readVaultVariable, type VaultVariable} from '../../domain/mesh/vault-variables.js';
import type {Sensitive} from '../../domain/sensitive.js';
import type {VaultHttpOptions} from '../../tools/vault-http.js';
import type {SignerContext} from '../signer-module.js';

export type VaultSpec = SignerSpecOf<'vault'>;
export type VaultAuth = NonNullable<VaultSpec['auth']>;

/** Everything that is said of the server, read and checked; nothing was asked yet. */
export interface VaultSettings {
  readonly http: VaultHttpOptions;
  /** Without slashes at its ends. */
  readonly mount: string;
  readonly issuer: string | undefined;
  readonly namespace: string | undefined;
  readonly auth: VaultAuth;
  /** The issuer as messages name it. */
  readonly what: string;
}

/** Throws `MISSING_VALUE`, `USAGE`, and what reading the files throws. */
export async function readSettings(spec: VaultSpec, context: SignerContext): Promise<VaultSettings> {
  const {environment} = context;
  const get = (variable: VaultVariable): string | undefined => readVaultVariable(environment, variable)?.value;
  refuseUnverified(environment);
  const address = readAddress(spec, environment);
  const [ca, client] = await Promise.all([readCa(spec, context), readClient(context)]);
  const mount = trimSlashes(spec.mount ?? 'pki');
  requirePath(mount, 'mount');
  if (spec.issuer !== undefined && !/^[\w-][\w.-]*$/.test(spec.issuer)) {
    throw new MeshError(
      'USAGE',
      `trust.signer.issuer ${JSON.stringify(spec.issuer)} is not the name or ID of an issuer`,
    );
  }
  const issuer = spec.issuer === undefined ? 'the default issuer' : `issuer ${spec.issuer}`;
  return {
    http: {address, tls: secureContext({ca, ...client}), serverName: get('TLS_SERVER_NAME')},
    mount,
    issuer: spec.issuer,
    namespace: readNamespace(spec, environment),
    auth: spec.auth ?? {method: 'token'},
    what: `${issuer} of ${mount} at ${address.host}`,
  };
}

/** A file that mesh.yaml names: relative to the work directory, `~/` is the home directory. */
export async function readNamed(path: string, {workspace, environment}: SignerContext): Promise<Sensitive<Buffer>> {
  const home = environment.HOME ?? homedir();
  return workspace.readOutside(path.startsWith('~/') ? resolve(home, path.slice(2)) : resolve(workspace.root, path));
}

/** `auth/` before the mount of a login method is how Vault's policies write it. */
export function authMount(said: string | undefined, method: string): string {
  const mount = trimSlashes(said ?? method).replace(/^auth\//, '');
  requirePath(mount, 'auth.mount');
  return mount;
}

function trimSlashes(path: string): string {
  return path.replace(/^\/+|\/+$/g, '');
}

function requirePath(path: string, field: string): void {
  if (path !== '' && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')) return;
  throw new MeshError('USAGE', `trust.signer.${field} ${JSON.stringify(path)} is not the path of a mount`);
}

/** Whoever may answer in the server's place chooses the mesh's root. */
function refuseUnverified(environment: SignerContext['environment']): void {
  const skip = readVaultVariable(environment, 'SKIP_VERIFY');
  // As Go's strconv.ParseBool, which is what Vault's own client asks; what it cannot read is no "false" here.
  if (skip === undefined || /^(?:0|f|F|FALSE|false|False)$/.test(skip.value)) return;
  throw new MeshError('USAGE', `${skip.name} is set: who answers in the server's place would choose the mesh's root`, {
    hints: [`Unset ${skip.name}, and name the server's CA with VAULT_CACERT or caCert under trust.signer`],
  });
}

function readAddress(spec: VaultSpec, environment: SignerContext['environment']): URL {
  const variable = readVaultVariable(environment, 'ADDR');
  const from = spec.address === undefined ? variable?.name : `trust.signer.address of ${layout.meshYaml}`;
  const said = spec.address ?? variable?.value;
  if (said === undefined || from === undefined) {
    throw new MeshError('MISSING_VALUE', 'no address of a Vault or OpenBao server is known', {
      hints: [`Set VAULT_ADDR or BAO_ADDR, or address under trust.signer in ${layout.meshYaml}`],
    });
  }
  const refuse = (why: string, hint: string): MeshError => new MeshError('USAGE', `${from} ${why}`, {hints: [hint]});
  const url = URL.canParse(said) ? new URL(said) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    throw refuse('is not an address', 'Such as https://vault.example.com:8200');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw refuse('holds more than an address', 'Such as https://vault.example.com:8200');
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw refuse(
      `is http: ${url.host} could be anybody, and the token would go there in the clear`,
      'Use https; http is for a server on this machine (127.0.0.1, localhost)',
    );
  }
  return url;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));
}

/** It goes into a header, where Node takes no other characters. */
function readNamespace(spec: VaultSpec, environment: SignerContext['environment']): string | undefined {
  const variable = readVaultVariable(environment, 'NAMESPACE');
  const namespace = spec.namespace ?? variable?.value;
  if (namespace === undefined || /^[\x21-\x7e]+$/.test(namespace)) return namespace;
  const from = spec.namespace === undefined ? variable?.name : 'trust.signer.namespace';
  throw new MeshError('USAGE', `${from ?? ''} ${JSON.stringify(namespace)} is not the path of a namespace`, {
    hints: ['Such as acme/mesh: ASCII, without spaces'],
  });
}

async function readCa(spec: VaultSpec, context: SignerContext): Promise<string | undefined> {
  if (spec.caCert !== undefined) return requireCertificates(await readNamed(spec.caCert, context), spec.caCert);
  const bytes = readVaultVariable(context.environment, 'CACERT_BYTES');
  const file = readVaultVariable(context.environment, 'CACERT');
  if (bytes) return requirePem(bytes.value, bytes.name);
  if (file) return requireCertificates(await context.workspace.readOutside(file.value), `${file.name} (${file.value})`);
  const path = readVaultVariable(context.environment, 'CAPATH');
  if (!path) return undefined;
  throw new MeshError('USAGE', `${path.name} is not supported: the CA is read from a file`, {
    hints: [`Name the file with VAULT_CACERT, and unset ${path.name}`],
  });
}

function requireCertificates(file: Sensitive<Buffer>, what: string): string {
  return requirePem(file.reveal().toString('utf8'), what);
}

/** OpenSSL takes a file without certificates for an empty list, and TLS would fail for a reason that nobody finds. */
function requirePem(text: string, what: string): string {
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new MeshError('NOT_A_CERTIFICATE', `${what}: holds no certificate in PEM form`);
}

function secureContext(options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext({minVersion: 'TLSv1.2', ...options});
  } catch (thrown) {
    // OpenSSL's words quote no key.
    const why = thrown instanceof Error ? printableLine(thrown.message) : 'OpenSSL cannot read them';
    throw new MeshError('USAGE', `the TLS files of the Vault signer cannot be used: ${why}`, {
      hints: ['Check VAULT_CACERT or caCert, VAULT_CLIENT_CERT and VAULT_CLIENT_KEY'],
    });
  }
}

async function readClient({
  workspace,
  environment,
}: SignerContext): Promise<Pick<SecureContextOptions, 'cert' | 'key'> | undefined> {
  const [certificate, key] = [
    readVaultVariable(environment, 'CLIENT_CERT'),
    readVaultVariable(environment, 'CLIENT_KEY'),
  ];
  if (!certificate && !key) return undefined;
  if (!certificate || !key) {
    throw new MeshError('MISSING_VALUE', `${(certificate ?? key)?.name ?? ''} is set without its other half`, {
      hints: ['Set both VAULT_CLIENT_CERT and VAULT_CLIENT_KEY'],
    });
  }
  const [certificateText, keyText] = await Promise.all([
    workspace.readOutside(certificate.value),
    workspace.readOutside(key.value),
  ]);
  return {cert: certificateText.reveal(), key: keyText.reveal()};
}
