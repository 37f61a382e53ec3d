import {vaultSecretVariables} from '../domain/mesh/vault-variables.js';
import {newPassphraseVariable, passphraseVariable} from '../domain/keys/passphrase.js';
import {Sensitive} from '../domain/sensitive.js';

/**
 * The passphrases of the environment, moved out of it before any child process could inherit them; either may be empty.
 * `replacement` is what `certs passphrase` sets.
 */
export function takePassphrases(env: NodeJS.ProcessEnv) {
  return {existing: take(env, passphraseVariable), replacement: take(env, newPassphraseVariable)};
}

/** Tokens and secret IDs of Vault and OpenBao, by variable, moved out of the environment like {@link takePassphrases}. */
export function takeVaultSecrets(env: NodeJS.ProcessEnv): ReadonlyMap<string, Sensitive<string>> {
  const taken = vaultSecretVariables.map((variable) => [variable, take(env, variable)] as const);
  return new Map(taken.flatMap(([variable, secret]) => (secret ? [[variable, secret]] : [])));
}

function take(env: NodeJS.ProcessEnv, variable: string): Sensitive<string> | undefined {
  const value = env[variable];
  Reflect.deleteProperty(env, variable);
  return value === undefined ? undefined : new Sensitive(value);
}
