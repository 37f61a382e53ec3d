/** Words as a POSIX shell must be given them. */
import {printable} from '../../domain/printable.js';

/** A word for the shell: quoted where the shell would not take it for plain text. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * A path as a shell word that can be printed, too: what no terminal shows stands as a wildcard, and a dash at the beginning
 * begins no option.
 */
export function shellPath(path: string): string {
  const own = path.startsWith('-') ? `./${path}` : path;
  const isHidden = (char: string): boolean => char === '\n' || char === '\t' || printable(char) === '';
  const chars = Array.from(own);
  if (!chars.some(isHidden)) return shellWord(own);
  const shown = chars.map((char) => (isHidden(char) ? '\n' : char)).join('');
  return shown
    .split(/\n+/)
    .map((part) => (part === '' ? '' : shellWord(part)))
    .join('*');
}

/** The command as it was typed, for those who have to run it again. */
export function typedCommand(command: string, argv: readonly string[]): string {
  return ['kubectl mesh', command, ...argv.map(shellWord)].join(' ');
}
