/** The root key's passphrase: a file, a command, the environment or a prompt, in that order (docs/certificates.md). */
import type {MeshError} from '../domain/errors.js';
import {isEmptyPassphrase, passphraseNeeded, passphraseWarning, requirePassphrase} from '../domain/keys/passphrase.js';
import type {Sensitive} from '../domain/sensitive.js';
import type {PassphraseSource} from '../engine/deps.js';

/** What may give the passphrase. The adapters read; this file decides which one is asked. */
export interface PassphraseOptions {
  readonly file?: string | undefined;
  readonly command?: string | undefined;
  readonly environment?: Sensitive<string> | undefined;
  readonly interactive: boolean;
  /** Reads the file; the first line is the passphrase. */
  readonly readFile: (path: string) => Promise<Sensitive<string>>;
  /** Runs the command and returns the first line it prints. */
  readonly runCommand: (command: string) => Promise<Sensitive<string>>;
  /** The error where nothing gives it; absent: the one of the existing passphrase. */
  readonly needed?: (purpose: 'new' | 'existing') => MeshError;
  /** Asks on the terminal, without echo; twice for a new passphrase. */
  readonly prompt: (purpose: 'new' | 'existing') => Promise<Sensitive<string>>;
  /** Told of a new passphrase that is short, whatever gave it. */
  readonly warn: (message: string) => void;
}

/**
 * Makes the source. It asks at most once and remembers the answer for the run; an empty answer is refused, before
 * anything is written.
 */
export function createPassphraseSource(options: PassphraseOptions): PassphraseSource {
  let answer: Promise<Sensitive<string>> | undefined;
  const ask = async (purpose: 'new' | 'existing'): Promise<Sensitive<string>> => {
    if (options.file !== undefined) return options.readFile(options.file);
    if (options.command !== undefined) return options.runCommand(options.command);
    if (options.environment !== undefined) return options.environment;
    if (options.interactive) return options.prompt(purpose);
    throw (options.needed ?? passphraseNeeded)(purpose);
  };
  return {
    available:
      options.file !== undefined ||
      options.command !== undefined ||
      (options.environment === undefined ? options.interactive : !isEmptyPassphrase(options.environment)),
    get: (purpose) =>
      (answer ??= ask(purpose).then((given) => {
        const passphrase = requirePassphrase(given);
        const warning = purpose === 'new' ? passphraseWarning(passphrase) : undefined;
        if (warning !== undefined) options.warn(warning);
        return passphrase;
      })),
  };
}
