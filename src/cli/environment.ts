import {vaultSecretVariables} from '../domain/mesh/vault-variables.js';
import {newPassphraseVariable, passphraseVariable} from '../domain/keys/passphrase.js';
import {Sensitive} from '../domain/sensitive.js';

/** The passphrases of the environment; either may be empty. */
export interface EnvironmentPassphrases {
  readonly existing: Sensitive<string> | undefined;
  /** What `certs passphrase` sets. */
  readonly replacement: Sensitive<string> | undefined;
}

/** The passphrases of the environment, moved out of it before any child process could inherit them. */
export function takePassphrases(env: NodeJS.ProcessEnv): EnvironmentPassphrases {
  return {existing: take(env, passphraseVariable), replacement: take(env, newPassphraseVariable)};
}

/** Tokens and secret IDs of Vault and OpenBao, by variable, moved out of the environment like {@link takePassphrases}. */
export function takeVaultSecrets(env: NodeJS.ProcessEnv): ReadonlyMap<string, Sensitive<string>> {
  const taken = new Map<string, Sensitive<string>>();
  for (const variable of vaultSecretVariables) {
    const secret = take(env, variable);
    if (secret) taken.set(variable, secret);
  }
  return taken;
}

function take(env: NodeJS.ProcessEnv, variable: string): Sensitive<string> | undefined {
  const value = env[variable];
  Reflect.deleteProperty(env, variable);
  return value === undefined ? undefined : new Sensitive(value);
}
