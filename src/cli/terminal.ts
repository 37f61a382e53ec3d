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
  if (purpose === 'new' && first !== '' && (await ask('Once more:')) !== first) {
    throw new MeshError('USAGE', 'The two passphrases differ', {hints: ['Run the command again']});
  }
  return new Sensitive(first);
}

/** A prompt's answer; Ctrl-C and Ctrl-D within it, and a terminal that goes away, are the same interruption as anywhere else. */
async function asked<T>(signal: AbortSignal, answer: Promise<T>): Promise<T> {
  const terminal = watchTerminal();
  try {
    return await Promise.race([answer, terminal.gone]);
  } catch (cause) {
    signal.throwIfAborted();
    throw new MeshError('INTERRUPTED', 'Interrupted at a question', {cause});
  } finally {
    terminal.dispose();
  }
}

/**
 * Rejects when no answer can come any more: the terminal goes away (its window is closed, the connection lost), or Ctrl-D
 * ends what is read. The prompt would never end then, and with nothing left to wait for the process would, as if all were
 * well and before the work directory's lock is given back.
 */
function watchTerminal(): {readonly gone: Promise<never>; readonly dispose: () => void} {
  const {stdin, stderr} = process;
  let onEnd = (): void => undefined;
  let onPause = (): void => undefined;
  const gone = new Promise<never>((_, reject) => {
    onEnd = () => {
      // Node's readline now sets the terminal back, which fails, and passes that on as an error that nobody listens to.
      for (const stream of [stdin, stderr]) stream.removeAllListeners('error').on('error', () => undefined);
      reject(new Error('the terminal is gone'));
    };
    // Reading is paused behind an answer as well, which is there before the next turn.
    onPause = () =>
      setImmediate(() => {
        reject(new Error('the input ended'));
      });
  });
  stdin.prependListener('end', onEnd).on('pause', onPause);
  return {
    gone,
    dispose: () => {
      stdin.removeListener('end', onEnd).removeListener('pause', onPause);
    },
  };
}
