/** Questions to the person at the terminal, on standard error so that standard output stays the result. */
import {MeshError} from '../domain/errors.js';
import {Sensitive} from '../domain/sensitive.js';
import type {Terminal} from '../engine/deps.js';

/** Standard input and standard error are both a terminal: only then may anything be asked. */
export function isInteractive(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** The terminal of this process. `rest` is awaited before a question, so that nobody draws over it. */
export function createTerminal(signal: AbortSignal, rest: () => Promise<void>): Terminal {
  return {
    interactive: isInteractive(),
    async confirm(question) {
      await rest();
      const {default: confirm} = await import('@inquirer/confirm');
      return asked(signal, confirm({message: question, default: false}, {output: process.stderr, signal}));
    },
  };
}

/** Asks for a passphrase without echo; a new one twice. Throws `INTERRUPTED`, `USAGE` when the two differ. */
export async function promptPassphrase(
  purpose: 'new' | 'existing',
  signal: AbortSignal,
  rest: () => Promise<void>,
): Promise<Sensitive<string>> {
  await rest();
  const {default: password} = await import('@inquirer/password');
  const ask = (message: string): Promise<string> =>
    asked(signal, password({message, mask: false}, {output: process.stderr, signal}));
  const first = await ask(purpose === 'new' ? 'New passphrase for the root key:' : 'Passphrase of the root key:');
  if (purpose === 'new' && (await ask('Once more:')) !== first) {
    throw new MeshError('USAGE', 'The two passphrases differ', {hints: ['Run the command again']});
  }
  return new Sensitive(first);
}

/** A prompt's answer; Ctrl-C within it is the same interruption as anywhere else. */
async function asked<T>(signal: AbortSignal, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    signal.throwIfAborted();
    throw new MeshError('INTERRUPTED', 'Interrupted at a question', {cause});
  }
}
