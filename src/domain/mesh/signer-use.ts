/**
 * What `trust.signer` of mesh.yaml makes this machine run or contact (docs/signers.md, "Confirmation"). mesh.yaml comes from
 * a repository that others can write to, so the user confirms each such use, identified by its hash.
 *
 * Only the signers `command` and `vault` have one. `local` and `csr` read and write files; `cluster` uses a context of the
 * user's own kubeconfig; `caAddress` of `external`, hub and tag are only rendered, for the cluster. mesh.yaml names no other
 * program or address.
 */
import {createHash} from 'node:crypto';
import {resolve} from 'node:path';
import {MeshError} from '../errors.js';
import {printableLine} from '../printable.js';
import {layout} from './layout.js';
import type {SignerSpec, SignerSpecOf} from './signer.js';
import {readVaultVariable} from './vault-variables.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** The SHA-256 of the files that a use names, by the path as mesh.yaml has it. */
export type FileHashes = ReadonlyMap<string, string>;

/** A program to run or a server to contact. */
export interface SignerUse {
  /** In messages: `program ./sign.sh`. */
  readonly name: string;
  /** Everything that identifies it, one line each, for the user to confirm. */
  readonly lines: readonly string[];
  /** The SHA-256 of the same data, as lower-case hexadecimal digits. */
  readonly hash: string;
}

/**
 * Returns the paths in mesh.yaml that may name a file whose content is part of the use: those of the program, of its
 * arguments (`sh ./sign.sh`, `--config=./hsm.conf`), and of the server's CA.
 */
export function pathsOfUse(spec: SignerSpec): readonly string[] {
  const named = (path: string): boolean => path !== '' && !path.startsWith('~/');
  if (spec.type === 'vault') return [spec.caCert ?? ''].filter(named);
  if (spec.type !== 'command') return [];
  const [program = '', ...args] = spec.argv;
  const values = args.flatMap((arg) => [arg, ...(arg.includes('=') ? [arg.slice(arg.indexOf('=') + 1)] : [])]);
  return [...new Set([...(program.includes('/') ? [program] : []), ...values])].filter(named);
}

/**
 * Returns the use of a signer; undefined if it has none, or if the environment of this run names the same server and
 * mesh.yaml adds neither a CA nor a file with credentials. Throws `CONTRADICTION` like {@link vaultAddress}.
 */
export function useOf(
  spec: SignerSpec,
  where: {readonly directory: string; readonly environment: Environment; readonly files: FileHashes},
): SignerUse | undefined {
  switch (spec.type) {
    case 'command':
      return programUse(spec, where);
    case 'vault':
      return serverUse(spec, where);
    case 'local':
    case 'csr':
    case 'cluster':
    case 'external':
      return undefined;
  }
}

/**
 * Returns the address of the server and where it is set; undefined if nothing sets it. Throws `CONTRADICTION` if the
 * environment names another server than mesh.yaml: a token in the environment belongs to the server there.
 */
export function vaultAddress(
  {address}: SignerSpecOf<'vault'>,
  environment: Environment,
): {readonly name: string; readonly value: string} | undefined {
  const own = readVaultVariable(environment, 'ADDR');
  if (address === undefined) return own;
  const name = `trust.signer.address of ${layout.meshYaml}`;
  if (!own || comparable(own.value) === comparable(address)) return {name, value: address};
  const [ours, theirs] = [own.value, address].map(printableLine);
  throw new MeshError('CONTRADICTION', `${own.name} (${ours ?? ''}) contradicts ${name} (${theirs ?? ''})`, {
    hints: [`unset ${own.name}, or change ${layout.meshYaml}: the token of one server is not sent to another`],
  });
}

function comparable(address: string): string {
  return (URL.canParse(address) ? new URL(address).href : address).replace(/\/+$/, '');
}

function programUse(
  {argv}: SignerSpecOf<'command'>,
  {directory, files}: {readonly directory: string; readonly files: FileHashes},
): SignerUse {
  return {
    name: `program ${quoted(argv[0] ?? '')}`,
    lines: [`run: ${argv.map(quoted).join(' ')}`, `in directory: ${quoted(directory)}`, ...fileLines(files)],
    hash: hashOf(['program', directory, argv, [...files].sort()]),
  };
}

function serverUse(
  spec: SignerSpecOf<'vault'>,
  {
    directory,
    environment,
    files,
  }: {readonly directory: string; readonly environment: Environment; readonly files: FileHashes},
): SignerUse | undefined {
  const address = vaultAddress(spec, environment);
  if (!address) return undefined;
  const {auth = {method: 'token'}, namespace, mount, issuer} = spec;
  const caFile = readVaultVariable(environment, 'CACERT')?.value;
  const caCert =
    spec.caCert === undefined || (caFile !== undefined && resolve(directory, spec.caCert) === caFile)
      ? undefined
      : spec.caCert;
  const credentials = credentialFile(auth);
  const isOwnServer = readVaultVariable(environment, 'ADDR') !== undefined;
  if (isOwnServer && caCert === undefined && credentials === undefined) return undefined;
  const server = comparable(address.value);
  const optional = (what: string, value: string | undefined): readonly string[] =>
    value === undefined ? [] : [`${what}: ${quoted(value)}`];
  return {
    name: `server ${quoted(server)}`,
    lines: [
      `contact: ${quoted(server)}`,
      `log in with: ${printableLine(JSON.stringify(auth))}`,
      ...optional('send the content of', credentials),
      ...optional('namespace', namespace),
      ...optional('mount', mount),
      ...optional('issuer', issuer),
      ...optional('CA of the server', spec.caCert),
      ...fileLines(files),
    ],
    hash: hashOf([
      'server',
      server,
      ...[namespace, mount, issuer, spec.caCert].map((value) => value ?? null),
      Object.entries(auth).sort(),
      [...files].sort(),
    ]),
  };
}

/** The file whose content is sent to the server. */
function credentialFile(auth: NonNullable<SignerSpecOf<'vault'>['auth']>): string | undefined {
  switch (auth.method) {
    case 'token':
      return auth.file;
    case 'approle':
      return auth.secretIdFile;
    case 'kubernetes':
      return auth.tokenFile;
  }
}

function fileLines(files: FileHashes): readonly string[] {
  return [...files].sort().map(([path, sha256]) => `file: ${quoted(path)}, SHA-256 ${sha256}`);
}

/** A word as it is, or quoted if its limits or its characters would otherwise not be visible. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : printableLine(JSON.stringify(word));
}

/** The first element is the version of this format: another one identifies other data. */
function hashOf(data: readonly unknown[]): string {
  return createHash('sha256')
    .update(JSON.stringify(['kubectl-mesh/signer-use/v1', ...data]))
    .digest('hex');
}
