/** Quoting for POSIX shells. */
import {printable} from '../../domain/printable.js';

/** A shell word, quoted where it contains characters that are special to the shell. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A path as a printable shell word: a wildcard replaces unprintable characters, and `./` escapes a leading dash. */
export function shellPath(path: string): string {
  const escaped = path.startsWith('-') ? `./${path}` : path;
  const isHidden = (char: string): boolean => char === '\n' || char === '\t' || printable(char) === '';
  const chars = Array.from(escaped);
  if (!chars.some(isHidden)) return shellWord(escaped);
  const shown = chars.map((char) => (isHidden(char) ? '\n' : char)).join('');
  return shown
    .split(/\n+/)
    .map((part) => (part === '' ? '' : shellWord(part)))
    .join('*');
}

/** The command as it was typed, for running it again. */
export function typedCommand(command: string, argv: readonly string[]): string {
  return ['kubectl mesh', command, ...argv.map(shellWord)].join(' ');
}
