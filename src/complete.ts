import {createRequire} from 'node:module';
import {completions, type CompletableCommands} from './cli/complete.js';

/** Answers kubectl's question what may follow these words, from the shipped manifest alone. */
export function printCompletions(words: readonly string[]): void {
  const manifest = createRequire(import.meta.url)('../oclif.manifest.json') as {readonly commands: CompletableCommands};
  process.stdout.write(`${completions(manifest.commands, words)}\n`);
}
