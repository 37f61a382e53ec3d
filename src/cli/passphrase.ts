/** The root key's passphrase: from a file, a command, the environment or a prompt, in this order. */
import type {MeshError} from '../domain/errors.js';
import {isEmptyPassphrase, passphraseNeeded, passphraseWarning, requirePassphrase} from '../domain/keys/passphrase.js';
import type {Sensitive} from '../domain/sensitive.js';
import type {PassphraseSource} from '../engine/deps.js';

/** The sources of a passphrase. The adapters read; this file selects the source. */
export interface PassphraseOptions {
  readonly file?: string | undefined;
  readonly command?: string | undefined;
  /** The prefix of the flags that set `file` and `command`: `--passphrase`. */
  readonly flagPrefix: string;
  readonly environment?: Sensitive<string> | undefined;
  readonly interactive: boolean;
  /** Reads the file; the first line is the passphrase. */
  readonly readFile: (path: string) => Promise<Sensitive<string>>;
  /** Runs the command and returns the first line it prints. */
  readonly runCommand: (command: string) => Promise<Sensitive<string>>;
  /** The error if no source is available; default: the one of the existing passphrase. */
  readonly needed?: () => MeshError;
  /** Prompts on the terminal, without echo; twice for a new passphrase. */
  readonly prompt: (purpose: 'new' | 'existing', path: string) => Promise<Sensitive<string>>;
  /** Receives warnings about a short new passphrase, and about a wrong one before the next prompt. */
  readonly warn: (message: string) => void;
}

/** How often a prompt accepts a wrong passphrase, as in sudo. */
const maxAttempts = 3;

/**
 * Creates the passphrase source. It reads once in a run, prompts again for a wrong passphrase, and rejects an empty
 * passphrase before any write.
 */
export function createPassphraseSource(options: PassphraseOptions): PassphraseSource {
  let result: Promise<Sensitive<string>> | undefined;
  let attempts = 0;
  const hasSource = options.file !== undefined || options.command !== undefined;
  const inEnvironment = hasSource ? undefined : options.environment;
  const emptyVariable = inEnvironment !== undefined && isEmptyPassphrase(inEnvironment);
  const isPrompted = !hasSource && inEnvironment === undefined && options.interactive;
  const read = async (purpose: 'new' | 'existing', path: string): Promise<Sensitive<string>> => {
    if (options.file !== undefined) return options.readFile(options.file);
    if (options.command !== undefined) return options.runCommand(options.command);
    if (options.environment !== undefined) return options.environment;
    if (options.interactive) return options.prompt(purpose, path);
    throw options.needed?.() ?? passphraseNeeded(purpose);
  };
  return {
    emptyVariable,
    available: hasSource || isPrompted || (inEnvironment !== undefined && !emptyVariable),
    flag: hasSource ? `${options.flagPrefix}-${options.file === undefined ? 'command' : 'file'}` : undefined,
    get: (purpose, path) =>
      (result ??= read(purpose, path).then((input) => {
        const passphrase = requirePassphrase(input);
        const warning = purpose === 'new' ? passphraseWarning(passphrase) : undefined;
        if (warning !== undefined) options.warn(warning);
        return passphrase;
      })),
    retry: (wrong) => {
      attempts += 1;
      if (!isPrompted || attempts >= maxAttempts) return false;
      options.warn(`${wrong.message}: try again`);
      result = undefined;
      return true;
    },
  };
}
