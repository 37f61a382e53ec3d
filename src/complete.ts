import {createRequire} from 'node:module';
import {completions, type CompletableCommands} from './cli/complete.js';

/** Prints shell completions for these words, as kubectl requires of plugins. Reads the shipped manifest only. */
export function printCompletions(words: readonly string[]): void {
  const manifest = createRequire(import.meta.url)('../oclif.manifest.json') as {readonly commands: CompletableCommands};
  process.stdout.write(`${completions(manifest.commands, words)}\n`);
}
