/** What is left when no command ran: an unknown command, or a fault before any command was found. */
import {Config, Errors} from '@oclif/core';
import {distance} from 'fastest-levenshtein';
import {MeshError} from '../domain/errors.js';
import {showAndExit} from './base-command.js';

/** More edits than this are no typing error. */
const maxDistance = 4;

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
  const words = argv.slice(0, firstFlag(argv));
  const near = nearestCommands(
    words,
    config.commandIDs.map((id) => id.replaceAll(':', ' ')),
  );
  return new MeshError('USAGE', `There is no command ${words.join(' ')}`, {
    hints: [
      ...(near.length > 0 ? [`Did you mean ${near.map((command) => `${config.bin} ${command}`).join(' or ')}?`] : []),
      `${config.bin} --help lists the commands`,
    ],
  });
}

function firstFlag(argv: readonly string[]): number {
  const index = argv.findIndex((word) => word.startsWith('-'));
  return index === -1 ? argv.length : index;
}

/** The commands that what was typed may have meant, nearest first. Pure. */
export function nearestCommands(words: readonly string[], commands: readonly string[]): readonly string[] {
  return commands
    .map((command) => ({command, edits: distance(command, words.slice(0, command.split(' ').length).join(' '))}))
    .filter(({edits}) => edits <= maxDistance)
    .sort((a, b) => a.edits - b.edits)
    .slice(0, 2)
    .map(({command}) => command);
}
