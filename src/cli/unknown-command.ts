/** Errors before any command runs: an unknown command, or an internal error. */
import {Config, Errors} from '@oclif/core';
import {MeshError} from '../domain/errors.js';
import {nearest} from '../domain/nearest.js';
import {showAndExit} from './base-command.js';

/** Prints the error and returns the exit code. */
export async function showUnknownCommand(thrown: unknown, argv: readonly string[], root: string): Promise<number> {
  const error = thrown instanceof Errors.CLIError ? await unknownCommand(argv, root) : thrown;
  try {
    return await showAndExit(error, argv);
  } catch (exit) {
    return exit instanceof Errors.ExitError ? (exit.oclif.exit ?? 1) : 1;
  }
}

async function unknownCommand(argv: readonly string[], root: string): Promise<MeshError> {
  const {bin, commandIDs, topics} = await Config.load(root);
  const commands = commandIDs.map((id) => id.replaceAll(':', ' '));
  const end = argv.findIndex((word) => word.startsWith('-'));
  const words = end === -1 ? argv : argv.slice(0, end);
  // oclif takes the argument of a command without arguments for a part of the command's name.
  const command = commands.find((name) => words.join(' ').startsWith(`${name} `));
  const topic = topics.find(({name}) => name === words[0])?.name;
  if (command !== undefined) {
    const [extra = ''] = words.slice(command.split(' ').length);
    return wrongCommand(`unexpected argument ${JSON.stringify(extra)}`, `for usage, run: ${bin} ${command} --help`);
  }
  if (words.length === 0) {
    const later = argv.map((_, index) => `${argv.slice(index).join(' ')} `);
    const name = commands.find((one) => later.some((text) => text.startsWith(`${one} `)));
    return wrongCommand(
      `no command given before ${argv[0] ?? ''}`,
      ...(name === undefined ? [] : [`put flags after the command: ${bin} ${name} [flags]`]),
      `to list the commands, run: ${bin} --help`,
    );
  }
  const near = likelyCommands(words, topic === undefined ? [...commands, ...topics.map(({name}) => name)] : commands);
  return wrongCommand(
    `unknown command ${JSON.stringify(words.join(' '))}`,
    ...(near.length === 0 ? [] : [`did you mean ${near.map((name) => `${bin} ${name}`).join(' or ')}?`]),
    `to list the commands, run: ${[bin, ...(topic === undefined ? [] : [topic])].join(' ')} --help`,
  );
}

function wrongCommand(message: string, ...hints: readonly string[]): MeshError {
  return new MeshError('USAGE', message, {hints});
}

/** The maximum number of commands that an error suggests. */
const maxSuggestions = 3;

/** Global flags that users type as commands, as in other programs. */
const flagCommands = ['--version', '--help'];

/**
 * The commands that were probably meant: the nearest one, otherwise those that begin with the words typed ("certs gen"),
 * otherwise those that are named like the first word in any topic ("generate"). Pure.
 */
export function likelyCommands(words: readonly string[], commands: readonly string[]): readonly string[] {
  const typed = words.join(' ');
  const [first = ''] = words;
  const near = nearestCommand(words, commands);
  const inTopics = (word: string | undefined): readonly string[] =>
    commands.filter((name) => word !== undefined && withoutTopic(name) === word);
  const candidates: readonly (readonly string[])[] = [
    flagCommands.filter((flag) => flag === `--${typed}`),
    near === undefined ? [] : [near],
    commands.filter((name) => name.startsWith(typed)),
    inTopics(first),
    inTopics(
      nearest(
        first,
        commands.flatMap((name) => withoutTopic(name) ?? []),
      ),
    ),
  ];
  return candidates.find((names) => names.length > 0)?.slice(0, maxSuggestions) ?? [];
}

/** `generate` of `certs generate`; undefined for a command without a topic. */
function withoutTopic(command: string): string | undefined {
  return command.split(' ')[1];
}

/** The command or topic nearest to what was typed; the words after the command's name are its arguments. Pure. */
export function nearestCommand(words: readonly string[], commands: readonly string[]): string | undefined {
  const lengths = [...new Set(commands.map((command) => command.split(' ').length))].sort((a, b) => b - a);
  for (const length of lengths) {
    const sameLength = commands.filter((command) => command.split(' ').length === length);
    const found = words.length >= length ? nearest(words.slice(0, length).join(' '), sameLength) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
