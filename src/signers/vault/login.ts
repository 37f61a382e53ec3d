/** The token that Vault and OpenBao require for each request that changes something: configured, or from a login. */
import * as z from 'zod';
import {MeshError} from '../../domain/errors.js';
import {readVaultVariable, vaultNames} from '../../domain/mesh/vault-variables.js';
import {Sensitive} from '../../domain/sensitive.js';
import {advice, fixWith, type Hint, inspectWith, words} from '../../domain/suggest/suggestion.js';
import type {SignerContext} from '../signer-module.js';
import type {VaultClient, VaultResponse} from './client.js';
import {noNamespaceError, refusedError} from './refusals.js';
import {authMount, readConfiguredFile, type VaultAuth, type VaultSettings} from './settings.js';

type AuthOf<Method extends VaultAuth['method']> = Extract<VaultAuth, {method: Method}>;

/** The path of a pod's service account token. */
const podToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** Timeout for revoking a token at the end of the run. Milliseconds. */
const revokeMs = 5000;

/** The data of a login, complete before the first request. */
interface Login {
  readonly mount: string;
  /** Identifies the client. */
  readonly role: Readonly<Record<string, string>>;
  /** The client's credentials. */
  readonly proof: Readonly<Record<string, Sensitive<string>>>;
  /** The first hint if the server refuses the login. */
  readonly refusal: string;
  readonly hints: readonly Hint[];
}

/** A token, or a login; everything that is read from this machine. */
export type Credentials = Sensitive<string> | Login;

/** Finds the credentials without contacting the server. Throws `MISSING_VALUE`, `USAGE`, and what reading files throws. */
export async function findCredentials(auth: VaultAuth, context: SignerContext): Promise<Credentials> {
  switch (auth.method) {
    case 'token':
      return findToken(auth, context);
    case 'approle':
      return appRole(auth, context);
    case 'kubernetes':
      return kubernetes(auth, context);
  }
}

/** Returns a token for this run. A token from a login is revoked when the run ends. */
export async function openToken(
  credentials: Credentials,
  client: VaultClient,
  context: SignerContext,
): Promise<Sensitive<string>> {
  if (credentials instanceof Sensitive) return credentials;
  const token = await logIn(credentials, client);
  context.onDispose(async () => {
    // The run's own signal may already be aborted. If a policy forbids revoking, the token expires by itself.
    const signal = AbortSignal.timeout(revokeMs);
    await client.send({method: 'POST', path: 'auth/token/revoke-self', token, signal}).catch(() => undefined);
  });
  return token;
}

const authSchema = z.looseObject({client_token: z.string().min(1)});

async function logIn(login: Login, client: VaultClient): Promise<Sensitive<string>> {
  const secrets = Object.values(login.proof);
  const body = {...login.role};
  for (const [name, value] of Object.entries(login.proof)) body[name] = value.reveal();
  const reply = await client.send({method: 'POST', path: `auth/${login.mount}/login`, body, secrets});
  const parsed = authSchema.safeParse(reply.auth);
  if (reply.ok && parsed.success) return new Sensitive(parsed.data.client_token);
  throw refusedLogin(reply, login, client.settings);
}

function refusedLogin(reply: VaultResponse, {mount, refusal, hints}: Login, settings: VaultSettings): MeshError {
  const {host} = settings.http.address;
  if (/namespace not found/i.test(reply.error)) return noNamespaceError(settings);
  if (reply.ok) {
    return refusedError(`auth/${mount} at ${host} returned no token: it requires more, such as a second factor`, [
      'log in manually and set VAULT_TOKEN',
    ]);
  }
  // If nothing is mounted at the path, the response is the same as for a refused login.
  const unknown = reply.status === 403 || reply.status === 404;
  return refusedError(`${host} refused the login at auth/${mount}: ${reply.error}`, [
    refusal,
    ...hints,
    ...(unknown
      ? [`if the login method is enabled at another path than auth/${mount}, set auth.mount under trust.signer`]
      : []),
  ]);
}

async function findToken({file}: AuthOf<'token'>, context: SignerContext): Promise<Sensitive<string>> {
  if (file !== undefined) return readSecret(file, context);
  const missing = new MeshError(
    'MISSING_VALUE',
    `no token for Vault or OpenBao: ${vaultNames('TOKEN').join(' and ')} are not set, and ~/.vault-token does not exist`,
    {
      hints: [
        advice`log in with: ${fixWith.run('vault', ['login'])}`,
        `or set ${vaultNames('TOKEN').join(' or ')}, or configure a login with auth under trust.signer`,
      ],
    },
  );
  // `vault login` and `bao login` write this file.
  return secretVariable('TOKEN', context) ?? readSecret('~/.vault-token', context, missing);
}

async function appRole(auth: AuthOf<'approle'>, context: SignerContext): Promise<Login> {
  const roleId = auth.roleId ?? readVaultVariable(context.environment, 'ROLE_ID')?.value;
  if (roleId === undefined) {
    throw new MeshError('MISSING_VALUE', 'AppRole requires a role ID', {
      hints: [`set auth.roleId under trust.signer, or ${vaultNames('ROLE_ID').join(' or ')}`],
    });
  }
  const {secretIdFile: file} = auth;
  const secretId = file === undefined ? secretVariable('SECRET_ID', context) : await readSecret(file, context);
  return {
    mount: authMount(auth.mount, 'approle'),
    role: {role_id: roleId},
    // A role may be bound to addresses instead of a secret (bind_secret_id=false).
    proof: secretId ? {secret_id: secretId} : {},
    refusal:
      secretId === undefined
        ? `set ${vaultNames('SECRET_ID').join(' or ')}, or auth.secretIdFile under trust.signer: no secret ID was sent`
        : 'generate a new secret ID: secret IDs expire and have a limited number of uses',
    hints: [advice`check the role ID: ${inspectWith.run('vault', words`read auth/approle/role/ROLE/role-id`)}`],
  };
}

async function kubernetes(auth: AuthOf<'kubernetes'>, context: SignerContext): Promise<Login> {
  const file = auth.tokenFile ?? podToken;
  const missing = `${file} not found: the Kubernetes login works only inside a pod`;
  const hints = ['set auth.tokenFile to the file of a projected service account token, or use another login'];
  return {
    mount: authMount(auth.mount, 'kubernetes'),
    role: {role: auth.role},
    proof: {jwt: await readSecret(file, context, new MeshError('FILE_MISSING', missing, {hints}))},
    refusal: `check that role ${auth.role} exists and is bound to this pod's service account and namespace`,
    hints: [],
  };
}

function secretVariable(variable: 'TOKEN' | 'SECRET_ID', context: SignerContext): Sensitive<string> | undefined {
  for (const name of vaultNames(variable)) {
    const secret = context.environmentSecrets.get(name)?.map((value) => value.trim());
    if (secret && secret.reveal() !== '') return requireHeaderSafe(secret, name);
  }
  return undefined;
}

/** Reads the single line of a file named in mesh.yaml; `missing` is the error if the file does not exist. */
async function readSecret(file: string, context: SignerContext, missing?: MeshError): Promise<Sensitive<string>> {
  try {
    const text = (await readConfiguredFile(file, context)).map((bytes) => bytes.toString('utf8').trim());
    if (text.reveal() === '') throw new MeshError('MISSING_VALUE', `${file} is empty`);
    return requireHeaderSafe(text, file);
  } catch (thrown) {
    throw missing && thrown instanceof MeshError && thrown.code === 'FILE_MISSING' ? missing : thrown;
  }
}

/** A value that an HTTP header cannot carry is not a token; Node's own error would quote it. */
function requireHeaderSafe(secret: Sensitive<string>, what: string): Sensitive<string> {
  if (/^[\x21-\x7e]+$/.test(secret.reveal())) return secret;
  throw new MeshError('USAGE', `${what} must contain only a token or a secret ID, on one line`);
}
