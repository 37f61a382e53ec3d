import {passphraseVariable} from '../domain/pki/passphrase.js';
import {Sensitive} from '../domain/sensitive.js';

/** The passphrase of the environment, which may be empty, moved out of it before any child process could inherit it. */
export function takePassphrase(env: NodeJS.ProcessEnv): Sensitive<string> | undefined {
  const value = env[passphraseVariable];
  Reflect.deleteProperty(env, passphraseVariable);
  return value === undefined ? undefined : new Sensitive(value);
}
