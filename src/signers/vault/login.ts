/** The token that Vault and OpenBao want with every request that changes something: given, or made by a login. */
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

/** Where a cluster puts a pod's token. */
const podToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** How long giving a token back may take, when the run is over. Milliseconds. */
const revokeMs = 5000;

/** What a login sends: complete before the server is asked anything. */
interface Login {
  readonly mount: string;
  /** Who asks. */
  readonly role: Readonly<Record<string, string>>;
  /** What proves it. */
  readonly proof: Readonly<Record<string, Sensitive<string>>>;
  /** What the server said no to. */
  readonly refusal: string;
  readonly hints: readonly Hint[];
}

/** A token, or how to get one: all that this needs from the machine has been found. */
export type Credentials = Sensitive<string> | Login;

/** Finds them. Asks no server. Throws `MISSING_VALUE`, `USAGE`, and what reading files throws. */
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

/** A token for this run. One that a login made is given back when the run ends. */
export async function openToken(
  credentials: Credentials,
  client: VaultClient,
  context: SignerContext,
): Promise<Sensitive<string>> {
  if (credentials instanceof Sensitive) return credentials;
  const token = await logIn(credentials, client);
  context.onDispose(async () => {
    // The run's own signal may be what ended it. A policy may forbid this; the token then ends by its own time.
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
    return refusedError(`auth/${mount} at ${host} gave no token: it asks for more (a second factor?)`, [
      'Log in by hand, and give the token with VAULT_TOKEN',
    ]);
  }
  // Where nothing is mounted, a login is answered like one that is refused.
  const unknown = reply.status === 403 || reply.status === 404;
  return refusedError(`${host} refuses the login at auth/${mount}: ${reply.error}`, [
    refusal,
    ...hints,
    ...(unknown ? [`If no such method is enabled at auth/${mount}: auth.mount under trust.signer`] : []),
  ]);
}

async function findToken({file}: AuthOf<'token'>, context: SignerContext): Promise<Sensitive<string>> {
  if (file !== undefined) return readSecret(file, context);
  const missing = new MeshError('MISSING_VALUE', 'there is no token for Vault: no VAULT_TOKEN, no ~/.vault-token', {
    hints: [
      advice`${fixWith.run('vault', ['login'])}`,
      'Or set VAULT_TOKEN, or choose a login with auth under trust.signer',
    ],
  });
  // The file is where `vault login` and `bao login` leave it.
  return secretVariable('TOKEN', context) ?? readSecret('~/.vault-token', context, missing);
}

async function appRole(auth: AuthOf<'approle'>, context: SignerContext): Promise<Login> {
  const roleId = auth.roleId ?? readVaultVariable(context.environment, 'ROLE_ID')?.value;
  if (roleId === undefined) {
    throw new MeshError('MISSING_VALUE', 'AppRole needs the ID of a role', {
      hints: ['Set auth.roleId under trust.signer, or VAULT_ROLE_ID'],
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
        ? 'No secret ID was sent: set VAULT_SECRET_ID, or auth.secretIdFile under trust.signer'
        : 'Secret IDs expire and may be used a limited number of times: make a new one',
    hints: [advice`Check the role ID: ${inspectWith.run('vault', words`read auth/approle/role/ROLE/role-id`)}`],
  };
}

async function kubernetes(auth: AuthOf<'kubernetes'>, context: SignerContext): Promise<Login> {
  const file = auth.tokenFile ?? podToken;
  const missing = `${file} is not there: the Kubernetes login works inside a pod only`;
  const hints = ['Name the file of a projected service account token with auth.tokenFile, or choose another login'];
  return {
    mount: authMount(auth.mount, 'kubernetes'),
    role: {role: auth.role},
    proof: {jwt: await readSecret(file, context, new MeshError('FILE_MISSING', missing, {hints}))},
    refusal: `Check that role ${auth.role} is there and bound to this pod's service account and namespace`,
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

/** The only line of a file that mesh.yaml names; `missing` is the error where there is no such file. */
async function readSecret(file: string, context: SignerContext, missing?: MeshError): Promise<Sensitive<string>> {
  try {
    const text = (await readConfiguredFile(file, context)).map((bytes) => bytes.toString('utf8').trim());
    if (text.reveal() === '') throw new MeshError('MISSING_VALUE', `${file} is empty`);
    return requireHeaderSafe(text, file);
  } catch (thrown) {
    throw missing && thrown instanceof MeshError && thrown.code === 'FILE_MISSING' ? missing : thrown;
  }
}

/** What no HTTP header can carry is no token, and Node's own error would quote it. */
function requireHeaderSafe(secret: Sensitive<string>, what: string): Sensitive<string> {
  if (/^[\x21-\x7e]+$/.test(secret.reveal())) return secret;
  throw new MeshError('USAGE', `${what} holds more than a token or a secret ID on one line`);
}
