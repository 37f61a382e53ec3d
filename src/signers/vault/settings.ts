/** The server, mount and issuer, and how to connect: from mesh.yaml, otherwise from the environment. */
import {isIPv4} from 'node:net';
import {homedir} from 'node:os';
import {resolve} from 'node:path';
import {createSecureContext, type SecureContext, type SecureContextOptions} from 'node:tls';
import {MeshError} from '../../domain/errors.js';
import {layout} from '../../domain/mesh/layout.js';
import type {SignerSpecOf} from '../../domain/mesh/signer.js';
import {vaultAddress} from '../../domain/mesh/signer-use.js';
import {printableLine} from '../../domain/printable.js';
import {readVaultVariable, type VaultVariable} from '../../domain/mesh/vault-variables.js';
import type {Sensitive} from '../../domain/sensitive.js';
import type {VaultHttpOptions} from '../../tools/vault-http.js';
import type {SignerContext} from '../signer-module.js';

export type VaultSpec = SignerSpecOf<'vault'>;
export type VaultAuth = NonNullable<VaultSpec['auth']>;

/** The server's settings, read and validated without contacting the server. */
export interface VaultSettings {
  readonly http: VaultHttpOptions;
  /** Without leading and trailing slashes. */
  readonly mount: string;
  readonly issuer: string | undefined;
  readonly namespace: string | undefined;
  readonly auth: VaultAuth;
  /** The issuer's name in messages. */
  readonly what: string;
}

/** Reads a variable. */
type Variables = (variable: VaultVariable) => ReturnType<typeof readVaultVariable>;

/** Reads the settings. Throws `MISSING_VALUE`, `USAGE`, `CONTRADICTION`, and what reading the files throws. */
export async function readSettings(spec: VaultSpec, context: SignerContext): Promise<VaultSettings> {
  const get: Variables = (variable) => readVaultVariable(context.environment, variable);
  refuseUnverified(get('SKIP_VERIFY'));
  const address = readAddress(spec, context.environment);
  const [ca, client] = await Promise.all([readCa(spec, get, context), readClient(get, context)]);
  const mount = trimSlashes(spec.mount ?? 'pki');
  requirePath(mount, 'mount');
  if (spec.issuer !== undefined && !/^[\w-][\w.-]*$/.test(spec.issuer)) {
    const given = JSON.stringify(spec.issuer);
    throw new MeshError('USAGE', `invalid trust.signer.issuer ${given}: must be the name or ID of an issuer`);
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

/** Reads a file named in mesh.yaml: relative to the work directory, `~/` is the home directory. */
export async function readConfiguredFile(
  path: string,
  {workspace, environment}: SignerContext,
): Promise<Sensitive<Buffer>> {
  const home = environment.HOME ?? homedir();
  return workspace.readOutside(path.startsWith('~/') ? resolve(home, path.slice(2)) : resolve(workspace.root, path));
}

/** The mount of a login method, without the prefix `auth/` that Vault's policies use. */
export function authMount(configured: string | undefined, method: string): string {
  const mount = trimSlashes(configured ?? method).replace(/^auth\//, '');
  requirePath(mount, 'auth.mount');
  return mount;
}

function trimSlashes(path: string): string {
  return path.replace(/^\/+|\/+$/g, '');
}

function requirePath(path: string, field: string): void {
  if (path !== '' && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')) return;
  throw new MeshError('USAGE', `invalid trust.signer.${field} ${JSON.stringify(path)}: must be the path of a mount`);
}

/** Refuses to skip TLS verification: anyone who can impersonate the server could choose the mesh's root. */
function refuseUnverified(skip: ReturnType<Variables>): void {
  // Parsed as by Go's strconv.ParseBool, which Vault's own client uses; invalid values do not count as false.
  if (skip === undefined || /^(?:0|f|F|FALSE|false|False)$/.test(skip.value)) return;
  throw new MeshError(
    'USAGE',
    `${skip.name} is set: anyone who can impersonate the server could choose the mesh's root`,
    {
      hints: [`unset ${skip.name}, and set VAULT_CACERT, or caCert under trust.signer, to the server's CA`],
    },
  );
}

function readAddress(spec: VaultSpec, environment: SignerContext['environment']): URL {
  const source = vaultAddress(spec, environment);
  if (!source) {
    throw new MeshError('MISSING_VALUE', 'the address of the Vault or OpenBao server is not set', {
      hints: [`set VAULT_ADDR or BAO_ADDR, or address under trust.signer in ${layout.meshYaml}`],
    });
  }
  const invalid = (why: string, hint: string): MeshError =>
    new MeshError('USAGE', `${source.name} ${why}`, {hints: [hint]});
  const url = URL.canParse(source.value) ? new URL(source.value) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    throw invalid('is not a URL', 'for example: https://vault.example.com:8200');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw invalid('must not contain credentials, a query or a fragment', 'for example: https://vault.example.com:8200');
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw invalid(
      `uses http: ${url.host} would not be authenticated, and the token would be sent unencrypted`,
      'use https; http is allowed only for a server on this machine (127.0.0.1, localhost)',
    );
  }
  return url;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));
}

/** Reads the namespace, which is sent in a header: Node accepts no other characters there. */
function readNamespace({namespace}: VaultSpec, get: Variables): string | undefined {
  const source = namespace === undefined ? get('NAMESPACE') : {name: 'trust.signer.namespace', value: namespace};
  if (!source || /^[\x21-\x7e]+$/.test(source.value)) return source?.value;
  throw new MeshError(
    'USAGE',
    `invalid ${source.name} ${JSON.stringify(source.value)}: must be the path of a namespace`,
    {
      hints: ['for example acme/mesh: ASCII, without spaces'],
    },
  );
}

async function readCa({caCert}: VaultSpec, get: Variables, context: SignerContext): Promise<string | undefined> {
  const text = (file: Sensitive<Buffer>): string => file.reveal().toString('utf8');
  if (caCert !== undefined) return requirePem(text(await readConfiguredFile(caCert, context)), caCert);
  const [bytes, file, path] = [get('CACERT_BYTES'), get('CACERT'), get('CAPATH')];
  if (bytes) return requirePem(bytes.value, bytes.name);
  if (file) return requirePem(text(await context.workspace.readOutside(file.value)), `${file.name} (${file.value})`);
  if (!path) return undefined;
  throw new MeshError('USAGE', `${path.name} is not supported: the CA must be a single file`, {
    hints: [`set VAULT_CACERT to the file, and unset ${path.name}`],
  });
}

/** OpenSSL accepts a file without certificates as an empty list, and TLS would then fail with a misleading error. */
function requirePem(text: string, what: string): string {
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new MeshError('NOT_A_CERTIFICATE', `${what} does not contain a PEM certificate`);
}

function secureContext(options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext({minVersion: 'TLSv1.2', ...options});
  } catch (thrown) {
    // OpenSSL's messages do not quote keys.
    const why = thrown instanceof Error ? printableLine(thrown.message) : 'OpenSSL cannot read them';
    throw new MeshError('USAGE', `the TLS files of the Vault signer cannot be used: ${why}`, {
      hints: ['check VAULT_CACERT or caCert, VAULT_CLIENT_CERT and VAULT_CLIENT_KEY'],
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
    throw new MeshError('MISSING_VALUE', `${either.name} is set without its counterpart`, {
      hints: ['set both VAULT_CLIENT_CERT and VAULT_CLIENT_KEY'],
    });
  }
  const files = await Promise.all([certificate, key].map(({value}) => workspace.readOutside(value)));
  const [cert, privateKey] = files.map((file) => file.reveal());
  return {cert, key: privateKey};
}
