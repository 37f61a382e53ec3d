import {MeshError} from '../errors.js';
import type {Sensitive} from '../sensitive.js';

/** The variable that may hold the root key's passphrase. No child process ever sees it. */
export const passphraseVariable = 'KUBECTL_MESH_PASSPHRASE';

/** The variable that may hold the passphrase that `certs passphrase` sets. No child process ever sees it. */
export const newPassphraseVariable = 'KUBECTL_MESH_NEW_PASSPHRASE';

/** No source gives a passphrase, and nobody can be asked: names the choices. A key that exists is not made in the clear. */
export function passphraseNeeded(purpose: 'new' | 'existing'): MeshError {
  return new MeshError('PASSPHRASE_NEEDED', "The root key's passphrase is needed, and nothing gives it", {
    hints: [
      'Give it with --passphrase-file FILE, --passphrase-command COMMAND or the variable KUBECTL_MESH_PASSPHRASE',
      'To be asked for it, run the command on a terminal, without an empty KUBECTL_MESH_PASSPHRASE',
      ...(purpose === 'new' ? ['For a demo, write the root key in the clear with --no-passphrase'] : []),
    ],
  });
}

/** Like {@link passphraseNeeded}, for the one that replaces it. */
export function newPassphraseNeeded(): MeshError {
  return new MeshError('PASSPHRASE_NEEDED', 'A new passphrase for the root key is needed, and nothing gives it', {
    hints: [
      'Give it with --new-passphrase-file FILE, --new-passphrase-command COMMAND or the variable KUBECTL_MESH_NEW_PASSPHRASE',
      'To be asked for it, run the command on a terminal, without an empty KUBECTL_MESH_NEW_PASSPHRASE',
      'To keep the passphrase and raise its work factor only, give the same one again',
    ],
  });
}

/** The passphrase, still sensitive. Throws `PASSPHRASE_NEEDED` when it is empty: that protects nothing. */
export function requirePassphrase(passphrase: Sensitive<string>): Sensitive<string> {
  if (!isEmptyPassphrase(passphrase)) return passphrase;
  throw new MeshError('PASSPHRASE_NEEDED', "The root key's passphrase is empty", {
    hints: ['Give a passphrase of at least one character'],
  });
}

/** Whether a passphrase is empty. */
export function isEmptyPassphrase(passphrase: Sensitive<string>): boolean {
  return passphrase.test((text) => text === '');
}

/**
 * Characters below which a new passphrase is warned of. Our own measure: NIST SP 800-63B asks 15 of a secret that stands
 * alone, and scrypt slows down whoever guesses at a copied file.
 */
const minPassphraseLength = 12;

/** What to say of a new passphrase that is short, without it or its length; undefined where it is not. */
export function passphraseWarning(passphrase: Sensitive<string>): string | undefined {
  // Code points: a letter of any script counts once.
  if (!passphrase.test((text) => Array.from(text).length < minPassphraseLength)) return undefined;
  return `the new passphrase of the root key has fewer than ${String(minPassphraseLength)} characters: whoever gets a copy of the file can guess it`;
}

/** Whether two passphrases are the same. */
export function isSamePassphrase(one: Sensitive<string>, other: Sensitive<string>): boolean {
  return one.test((first) => other.test((second) => first === second));
}
