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

/** Reads a variable. */
type Variables = (variable: VaultVariable) => ReturnType<typeof readVaultVariable>;

/** Throws `MISSING_VALUE`, `USAGE`, and what reading the files throws. */
export async function readSettings(spec: VaultSpec, context: SignerContext): Promise<VaultSettings> {
  const get: Variables = (variable) => readVaultVariable(context.environment, variable);
  refuseUnverified(get('SKIP_VERIFY'));
  const address = readAddress(spec, get);
  const [ca, client] = await Promise.all([readCa(spec, get, context), readClient(get, context)]);
  const mount = trimSlashes(spec.mount ?? 'pki');
  requirePath(mount, 'mount');
  if (spec.issuer !== undefined && !/^[\w-][\w.-]*$/.test(spec.issuer)) {
    const given = JSON.stringify(spec.issuer);
    throw new MeshError('USAGE', `trust.signer.issuer ${given} is not the name or ID of an issuer`);
  }
  const issuer = spec.issuer === undefined ? 'the default issuer' : `issuer ${spec.issuer}`;
  return {
    http: {address, tls: secureContext({ca, ...client}), serverName: get('TLS_SERVER_NAME')?.value},
    mount,
    issuer: spec.issuer,
    namespace: readNamespace(spec, get),
    auth: spec.auth ?? {method: 'token'},
    what: `${issuer} of ${mount} at ${address.host}`,
  };
}

/** A file that mesh.yaml names: relative to the work directory, `~/` is the home directory. */
export async function readConfiguredFile(path: string, {workspace, environment}: SignerContext): Promise<Sensitive<Buffer>> {
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
function refuseUnverified(skip: ReturnType<Variables>): void {
  // As Go's strconv.ParseBool, which is what Vault's own client asks; what it cannot read is no "false" here.
  if (skip === undefined || /^(?:0|f|F|FALSE|false|False)$/.test(skip.value)) return;
  throw new MeshError('USAGE', `${skip.name} is set: who answers in the server's place would choose the mesh's root`, {
    hints: [`Unset ${skip.name}, and name the server's CA with VAULT_CACERT or caCert under trust.signer`],
  });
}

function readAddress({address}: VaultSpec, get: Variables): URL {
  const said =
    address === undefined ? get('ADDR') : {name: `trust.signer.address of ${layout.meshYaml}`, value: address};
  if (!said) {
    throw new MeshError('MISSING_VALUE', 'no address of a Vault or OpenBao server is known', {
      hints: [`Set VAULT_ADDR or BAO_ADDR, or address under trust.signer in ${layout.meshYaml}`],
    });
  }
  const refuse = (why: string, hint: string): MeshError =>
    new MeshError('USAGE', `${said.name} ${why}`, {hints: [hint]});
  const url = URL.canParse(said.value) ? new URL(said.value) : undefined;
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
function readNamespace({namespace}: VaultSpec, get: Variables): string | undefined {
  const said = namespace === undefined ? get('NAMESPACE') : {name: 'trust.signer.namespace', value: namespace};
  if (!said || /^[\x21-\x7e]+$/.test(said.value)) return said?.value;
  throw new MeshError('USAGE', `${said.name} ${JSON.stringify(said.value)} is not the path of a namespace`, {
    hints: ['Such as acme/mesh: ASCII, without spaces'],
  });
}

async function readCa({caCert}: VaultSpec, get: Variables, context: SignerContext): Promise<string | undefined> {
  const text = (file: Sensitive<Buffer>): string => file.reveal().toString('utf8');
  if (caCert !== undefined) return requirePem(text(await readConfiguredFile(caCert, context)), caCert);
  const [bytes, file, path] = [get('CACERT_BYTES'), get('CACERT'), get('CAPATH')];
  if (bytes) return requirePem(bytes.value, bytes.name);
  if (file) return requirePem(text(await context.workspace.readOutside(file.value)), `${file.name} (${file.value})`);
  if (!path) return undefined;
  throw new MeshError('USAGE', `${path.name} is not supported: the CA is read from a file`, {
    hints: [`Name the file with VAULT_CACERT, and unset ${path.name}`],
  });
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

async function readClient(
  get: Variables,
  {workspace}: SignerContext,
): Promise<Pick<SecureContextOptions, 'cert' | 'key'> | undefined> {
  const [certificate, key] = [get('CLIENT_CERT'), get('CLIENT_KEY')];
  const either = certificate ?? key;
  if (!either) return undefined;
  if (!certificate || !key) {
    throw new MeshError('MISSING_VALUE', `${either.name} is set without its other half`, {
      hints: ['Set both VAULT_CLIENT_CERT and VAULT_CLIENT_KEY'],
    });
  }
  const files = await Promise.all([certificate, key].map(({value}) => workspace.readOutside(value)));
  const [cert, privateKey] = files.map((file) => file.reveal());
  return {cert, key: privateKey};
}
