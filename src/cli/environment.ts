import {vaultSecretVariables} from '../domain/mesh/vault-variables.js';
import {newPassphraseVariable, passphraseVariable} from '../domain/keys/passphrase.js';
import {Sensitive} from '../domain/sensitive.js';

/**
 * Takes the passphrases out of the environment before any child process can inherit them; either may be empty.
 * `replacement` is the passphrase that `certs passphrase` sets.
 */
export function takePassphrases(env: NodeJS.ProcessEnv) {
  return {existing: take(env, passphraseVariable), replacement: take(env, newPassphraseVariable)};
}

/** Takes the tokens and secret IDs of Vault and OpenBao out of the environment. Returns them by variable. */
export function takeVaultSecrets(env: NodeJS.ProcessEnv): ReadonlyMap<string, Sensitive<string>> {
  const taken = vaultSecretVariables.map((variable) => [variable, take(env, variable)] as const);
  return new Map(taken.flatMap(([variable, secret]) => (secret ? [[variable, secret]] : [])));
}

function take(env: NodeJS.ProcessEnv, variable: string): Sensitive<string> | undefined {
  const value = env[variable];
  Reflect.deleteProperty(env, variable);
  return value === undefined ? undefined : new Sensitive(value);
}
