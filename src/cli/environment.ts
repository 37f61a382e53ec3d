import {newPassphraseVariable, passphraseVariable} from '../domain/pki/passphrase.js';
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

function take(env: NodeJS.ProcessEnv, variable: string): Sensitive<string> | undefined {
  const value = env[variable];
  Reflect.deleteProperty(env, variable);
  return value === undefined ? undefined : new Sensitive(value);
}
