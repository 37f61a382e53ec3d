/** What is left when no command ran: an unknown command, or a fault before any command was found. */
import {Config, Errors} from '@oclif/core';
import {MeshError} from '../domain/errors.js';
import {nearest} from '../domain/nearest.js';
import {showAndExit} from './base-command.js';

/** Shows what went wrong and returns the exit code. */
export async function showUnknownCommand(thrown: unknown, argv: readonly string[], root: string): Promise<number> {
  const error = thrown instanceof Errors.CLIError ? await unknownCommand(argv, root) : thrown;
  try {
    return await showAndExit(error, argv);
  } catch (exit) {
    return exit instanceof Errors.ExitError ? (exit.oclif.exit ?? 1) : 1;
  }
}

async function unknownCommand(argv: readonly string[], root: string): Promise<MeshError> {
  const config = await Config.load(root);
  const end = argv.findIndex((word) => word.startsWith('-'));
  const words = end === -1 ? argv : argv.slice(0, end);
  const near = nearestCommand(
    words,
    config.commandIDs.map((id) => id.replaceAll(':', ' ')),
  );
  return new MeshError('USAGE', words.length > 0 ? `There is no command ${words.join(' ')}` : 'No command was named', {
    hints: [
      ...(near === undefined ? [] : [`Did you mean ${config.bin} ${near}?`]),
      `${config.bin} --help lists the commands`,
    ],
  });
}

/** The command that was probably meant; words after the command's own are its arguments. Pure. */
export function nearestCommand(words: readonly string[], commands: readonly string[]): string | undefined {
  const lengths = [...new Set(commands.map((command) => command.split(' ').length))].sort((a, b) => b - a);
  for (const length of lengths) {
    const sameLength = commands.filter((command) => command.split(' ').length === length);
    const found = words.length >= length ? nearest(words.slice(0, length).join(' '), sameLength) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
