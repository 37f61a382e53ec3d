/** Quoting for POSIX shells. */
import {printable, printableLine} from '../../domain/printable.js';

/** A shell word, quoted where it contains characters that are special to the shell, in printable characters only. */
export function shellWord(word: string): string {
  if (printableLine(word) !== word.trim() || /[\n\t]/.test(word)) return printfWord(word);
  // zsh expands words that start with an equals sign or contain a tilde.
  return /^(?!=)[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A word with unprintable characters: printf(1) creates them, so that nothing is hidden and the value is exact. */
function printfWord(word: string): string {
  const chars = Array.from(word);
  const isHidden = (char: string, at: number): boolean =>
    // A line of output has no repeated spaces.
    printable(char) === '' || /[\n\t]/.test(char) || (char === ' ' && chars[at - 1] === ' ');
  const format = chars
    .map((char, at) => {
      if (char === '%') return '%%';
      if (char === '\\') return '\\\\';
      if (char === "'") return "'\\''";
      if (!isHidden(char, at)) return char;
      return Array.from(Buffer.from(char), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
    })
    .join('');
  return `"$(printf -- '${format}')"`;
}

/** A path as a shell word: `./` escapes a leading dash. */
export function shellPath(path: string): string {
  return shellWord(path.startsWith('-') ? `./${path}` : path);
}

/** The command as it was typed, for running it again. */
export function typedCommand(command: string, argv: readonly string[]): string {
  return ['kubectl mesh', command, ...argv.map(shellWord)].join(' ');
}
