/** Prompts on the terminal. They use standard error: standard output carries the result only. */
import {MeshError} from '../domain/errors.js';
import {Sensitive} from '../domain/sensitive.js';
import type {Terminal} from '../engine/deps.js';

/** Whether standard input and standard error are both a terminal, as prompts require. */
export function isInteractive(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** The terminal of this process. `flush` is awaited before a prompt, so that progress is not drawn over it. */
export function createTerminal(signal: AbortSignal, flush: () => Promise<void>): Terminal {
  return {
    interactive: isInteractive(),
    async confirm(question) {
      await flush();
      const {default: confirm} = await import('@inquirer/confirm');
      return answerTo(signal, confirm({message: question, default: false}, {output: process.stderr, signal}));
    },
  };
}

/**
 * Prompts for the passphrase of the root key at `path` without echo; for a new one twice. Throws `INTERRUPTED`, or `USAGE` if
 * the two differ.
 */
export async function promptPassphrase(
  purpose: 'new' | 'existing',
  path: string,
  signal: AbortSignal,
  flush: () => Promise<void>,
): Promise<Sensitive<string>> {
  await flush();
  const {default: password} = await import('@inquirer/password');
  const ask = (message: string): Promise<string> =>
    answerTo(signal, password({message, mask: false}, {output: process.stderr, signal}));
  const first = await ask(`${purpose === 'new' ? 'New passphrase' : 'Passphrase'} for the root key (${path}):`);
  if (purpose === 'new' && first !== '' && (await ask('Repeat the passphrase:')) !== first) {
    throw new MeshError('USAGE', 'the passphrases do not match', {hints: ['run the command again']});
  }
  return new Sensitive(first);
}

/** A prompt's answer. Throws `INTERRUPTED` on Ctrl-C, on Ctrl-D and when the terminal closes. */
async function answerTo<T>(signal: AbortSignal, answer: Promise<T>): Promise<T> {
  const terminal = watchTerminal();
  try {
    return await Promise.race([answer, terminal.gone]);
  } catch (cause) {
    signal.throwIfAborted();
    throw new MeshError('INTERRUPTED', 'interrupted at a prompt', {cause});
  } finally {
    terminal.dispose();
  }
}

/**
 * Rejects when no answer can arrive any more: the terminal closes (its window is closed, the connection is lost), or
 * Ctrl-D ends the input. The prompt would then never settle, and the process, with nothing left to wait for, would exit
 * with 0 before it releases the work directory's lock.
 */
function watchTerminal(): {readonly gone: Promise<never>; readonly dispose: () => void} {
  const {stdin, stderr} = process;
  let onEnd = (): void => undefined;
  let onPause = (): void => undefined;
  const gone = new Promise<never>((_, reject) => {
    onEnd = () => {
      // Node's readline now fails to reset the terminal and emits that as an error without a listener.
      for (const stream of [stdin, stderr]) stream.removeAllListeners('error').on('error', () => undefined);
      reject(new Error('the terminal was closed'));
    };
    // Input is also paused after an answer, which then settles before the next turn of the event loop.
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
