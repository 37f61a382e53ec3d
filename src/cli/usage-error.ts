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

/** The error of an invalid flag value. `requirement` completes "must be". */
export function invalidFlag(flag: string, value: string, requirement: string): MeshError {
  return new MeshError('USAGE', `invalid --${flag} ${JSON.stringify(value)}: must be ${requirement}`);
}

/** Turns oclif's parse errors into `USAGE` errors; returns any other error as it is. */
export function usageError(thrown: unknown, command: ParsedCommand): unknown {
  // oclif also rewrites the messages of our own flag parsers.
  if (thrown instanceof MeshError && thrown.message.startsWith('Parsing --')) thrown.message = reword(thrown.message);
  if (!(thrown instanceof Errors.CLIError)) return thrown;
  const {flags = []} = thrown as ParseErrorFields;
  const unknown = flags.map((flag) => flag.replace(/=[^]*$/, ''));
  const near = unknown.flatMap((flag) => (flag.startsWith('--') ? (nearest(flag.slice(2), command.flags) ?? []) : []));
  return new MeshError('USAGE', messageOf(thrown, unknown), {
    hints: [
      ...near.map((name) => `did you mean --${name}?`),
      // eslint-disable-next-line no-restricted-syntax -- help is the same for every mesh: it needs no flags
      `for usage, run: kubectl mesh ${command.words} --help`,
    ],
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

/** oclif's phrases (@oclif/core lib/parser and lib/flags.js), and the same in the wording of kubectl. */
const phrases: readonly (readonly [oclif: RegExp, ours: (...groups: string[]) => string])[] = [
  [
    /^Parsing --(\S+) \n\tExpected (an integer.*|a valid url) but received: ([^]*)$/,
    (_, flag = '', requirement = '', value = '') => invalidFlag(flag, value, requirement.replace('url', 'URL')).message,
  ],
  [
    /^Expected --(\S+?)=([^]*) to be one of: (.*)$/,
    (_, flag = '', value = '', options = '') => invalidFlag(flag, value, `one of ${options}`).message,
  ],
  [/^Flag --(\S+) can only be specified once$/, (_, flag) => `--${flag} is given more than once`],
  [/^Flag --(\S+) expects one of these values: (.*)$/, (_, flag, options) => `--${flag} requires a value: ${options}`],
  [/^Flag --(\S+) expects a value$/, (_, flag) => `--${flag} requires a value`],
  [/^Missing required flag (\S+)$/, (_, flag) => `--${flag} is required`],
  [
    /^All of the following must be provided when using --(\S+): (.*)$/,
    (_, flag, others) => `--${flag} requires ${others}`,
  ],
  [
    /^--(\S+?)=[^]* cannot also be provided when using --(\S+)$/,
    (_, one, other) => `${[`--${one}`, `--${other}`].toSorted().join(' and ')} cannot be combined`,
  ],
  // The errors of our own parsers: oclif puts the flag's name in front.
  [
    /^Parsing (--\S+) \n\t([^]*)$/,
    (_, flag = '', message = '') => (message.includes(flag) ? message : `${flag}: ${message}`),
  ],
];

/** An oclif message in our wording, without its reference to --help. */
function reword(message: string): string {
  const text = printable(message).replace(/\nSee more help with --help$/, '');
  const reasons = text.replace(/^The following errors? occurred:\n\s*/, '').split('\n  ');
  return [...new Set(reasons.map(rewordPhrase))].join('; ');
}

function rewordPhrase(text: string): string {
  const [pattern, replacement] = phrases.find(([oclif]) => oclif.test(text)) ?? [];
  return pattern && replacement ? text.replace(pattern, replacement) : text;
}
