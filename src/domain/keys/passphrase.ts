import {MeshError} from '../errors.js';
import type {Sensitive} from '../sensitive.js';

/** The environment variable for the root key's passphrase. It is not passed to child processes. */
export const passphraseVariable = 'KUBECTL_MESH_PASSPHRASE';

/** The environment variable for the passphrase that `certs passphrase` sets. It is not passed to child processes. */
export const newPassphraseVariable = 'KUBECTL_MESH_NEW_PASSPHRASE';

/**
 * A new passphrase with fewer characters causes a warning. The number is a choice of this program: NIST SP 800-63B requires
 * 15 for a single factor, but scrypt slows down guessing at a copied file.
 */
const minPassphraseLength = 12;

/**
 * The error for a missing passphrase that cannot be prompted for. Only a new key can be written unencrypted.
 * `emptyVariable`: its variable is set, but empty.
 */
export function passphraseNeeded(purpose: 'new' | 'existing', emptyVariable = false): MeshError {
  return new MeshError('PASSPHRASE_NEEDED', "the root key's passphrase is required", {
    hints: [
      'set --passphrase-file FILE, --passphrase-command COMMAND or the variable KUBECTL_MESH_PASSPHRASE',
      promptHint(emptyVariable ? passphraseVariable : undefined),
      ...(purpose === 'new' ? ['for a demo, write the root key unencrypted with --no-passphrase'] : []),
    ],
  });
}

function promptHint(emptyVariable: string | undefined): string {
  const prompt = 'to be prompted for it, run the command on a terminal';
  return emptyVariable === undefined ? prompt : `${prompt}, and unset ${emptyVariable}, which is empty`;
}

/** Like {@link passphraseNeeded}, for the new passphrase. */
export function newPassphraseNeeded(emptyVariable = false): MeshError {
  return new MeshError('PASSPHRASE_NEEDED', 'a new passphrase for the root key is required', {
    hints: [
      'set --new-passphrase-file FILE, --new-passphrase-command COMMAND or the variable KUBECTL_MESH_NEW_PASSPHRASE',
      promptHint(emptyVariable ? newPassphraseVariable : undefined),
      'to raise only the work factor, give the current passphrase again',
    ],
  });
}

/** Returns a passphrase that is not empty. Throws `PASSPHRASE_NEEDED` for an empty one, which protects nothing. */
export function requirePassphrase(passphrase: Sensitive<string>): Sensitive<string> {
  if (!isEmptyPassphrase(passphrase)) return passphrase;
  throw new MeshError('PASSPHRASE_NEEDED', "the root key's passphrase is empty", {
    hints: [`use a passphrase of at least ${String(minPassphraseLength)} characters`],
  });
}

/** Whether a passphrase is empty. */
export function isEmptyPassphrase(passphrase: Sensitive<string>): boolean {
  return passphrase.test((text) => text === '');
}

/** The warning about a short new passphrase, which reveals neither it nor its length; undefined for a longer one. */
export function passphraseWarning(passphrase: Sensitive<string>): string | undefined {
  // Counts code points: a letter of any script counts once.
  if (!passphrase.test((text) => Array.from(text).length < minPassphraseLength)) return undefined;
  return `the root key's passphrase has fewer than ${String(minPassphraseLength)} characters: anyone with a copy of the file can guess it`;
}

/** Whether two passphrases are the same. */
export function isSamePassphrase(one: Sensitive<string>, other: Sensitive<string>): boolean {
  return one.test((first) => other.test((second) => first === second));
}
