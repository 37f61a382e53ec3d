/** oclif's errors about the command line as errors of this program. Pure. */
import {Errors} from '@oclif/core';
import {MeshError} from '../domain/errors.js';
import {nearest} from '../domain/nearest.js';
import {printable} from '../domain/printable.js';

/** The command whose arguments could not be parsed: its words after `kubectl mesh`, and the names of its flags. */
export interface ParsedCommand {
  readonly words: string;
  readonly flags: readonly string[];
}

/** The fields of oclif's parse errors that are read here: unknown flags; unexpected (text) or missing arguments. */
interface ParseErrorFields {
  readonly flags?: readonly string[];
  readonly args?: readonly (string | {readonly name: string})[];
}

/** The error of an invalid flag value. `requirement` completes "must be"; `meant` is the value that was probably meant. */
export function invalidFlag(flag: string, value: string, requirement: string, meant?: string): MeshError {
  return new MeshError('USAGE', `invalid --${flag} ${JSON.stringify(value)}: must be ${requirement}`, {
    hints: meant === undefined ? [] : [`did you mean --${flag} ${meant}?`],
  });
}

/** Turns oclif's parse errors into `USAGE` errors, and adds a hint to those without one; returns any other error as it is. */
export function usageError(thrown: unknown, command: ParsedCommand): unknown {
  // oclif also rewrites the messages of our own flag parsers.
  if (thrown instanceof MeshError && thrown.message.startsWith('Parsing --')) thrown.message = reword(thrown.message);

  const usageHint = `for usage, run: kubectl mesh ${command.words} --help`;
  if (thrown instanceof MeshError && thrown.code === 'USAGE' && thrown.hints.length === 0) {
    return new MeshError('USAGE', thrown.message, {hints: [usageHint], cause: thrown});
  }
  if (!(thrown instanceof Errors.CLIError)) return thrown;
  const {flags = []} = thrown as ParseErrorFields;
  const unknown = flags.map((flag) => flag.replace(/=[^]*$/, ''));
  const near = unknown.flatMap((flag) => (flag.startsWith('--') ? (nearest(flag.slice(2), command.flags) ?? []) : []));
  return new MeshError('USAGE', messageOf(thrown, unknown), {
    hints: [...near.map((name) => `did you mean --${name}?`), usageHint],
    cause: thrown,
  });
}

function messageOf(thrown: Errors.CLIError, unknownFlags: readonly string[]): string {
  if (unknownFlags.length > 0) return `unknown flag ${unknownFlags.join(', ')}`;
  const args: ParseErrorFields['args'] = (thrown as ParseErrorFields).args;
  if (!args?.[0]) return reword(thrown.message);
  const names = args.map((arg) => (typeof arg === 'string' ? JSON.stringify(arg) : arg.name.toUpperCase()));
  return `${typeof args[0] === 'string' ? 'unexpected' : 'missing'} argument ${names.join(', ')}`;
}

/** oclif's messages (@oclif/core lib/parser and lib/flags.js) and this program's wording of each. */
const phrases: readonly (readonly [oclif: RegExp, ours: string])[] = [
  [/^Parsing --(\S+) \n\tExpected (an integer.*) but received: ([^]*)$/, 'invalid --$1 "$3": must be $2'],
  [/^Parsing --(\S+) \n\tExpected a valid url but received: ([^]*)$/, 'invalid --$1 "$2": must be a valid URL'],
  [/^Expected --(\S+?)=([^]*) to be one of: (.*)$/, 'invalid --$1 "$2": must be one of $3'],
  [/^Flag --(\S+) can only be specified once$/, '--$1 is given more than once'],
  [/^Flag --(\S+) expects one of these values: (.*)$/, '--$1 requires a value: $2'],
  [/^Flag --(\S+) expects a value$/, '--$1 requires a value'],
  [/^Missing required flag (\S+)$/, '--$1 is required'],
  [/^All of the following must be provided when using --(\S+): (.*)$/, '--$1 requires $2'],
  [/^--(\S+?)=[^]* cannot also be provided when using --(\S+)$/, '--$2 cannot be combined with --$1'],
  // Errors of our own parsers: oclif adds the flag's name, which most messages contain.
  [/^Parsing (--\S+) \n\t([^]*\1[^]*)$/, '$2'],
  [/^Parsing (--\S+) \n\t([^]*)$/, '$1: $2'],
];

/** An oclif message in this program's wording, without its reference to --help; only the first of several reasons. */
function reword(message: string): string {
  const text = printable(message).replace(/\nSee more help with --help$/, '');
  const [reason = text] = text.replace(/^The following errors? occurred:\n\s*/, '').split('\n  ');
  const [oclif = '', ours = ''] = phrases.find(([pattern]) => pattern.test(reason)) ?? [];
  return reason.replace(oclif, ours);
}
