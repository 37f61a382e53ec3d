import {Errors, Flags} from '@oclif/core';
import {printableLine} from '../../domain/printable.js';

/** Enough for a ticket and a sentence; it stands in each entry of a run. Characters. */
const longestReason = 500;

/** A reason as it is recorded. Throws oclif's error for one that is empty, too long, or not one printable line. */
function parseReason(input: string): string {
  const reason = input.trim();
  if (reason === '') throw new Errors.CLIError('--reason is empty: say why, in one line');
  if (reason.length > longestReason) {
    const length = String(reason.length);
    throw new Errors.CLIError(`--reason has ${length} characters, at most ${String(longestReason)} are recorded`);
  }
  if (printableLine(reason) !== reason.replace(/ {2,}/g, ' ')) {
    throw new Errors.CLIError('--reason must be one line of printable characters');
  }
  return reason;
}

/** Flags of every command that changes something. */
export const dryRunFlags = {
  reason: Flags.string({
    env: 'KUBECTL_MESH_REASON',
    helpValue: 'TEXT',
    description: 'why, for the journal: a ticket, a sentence (one line, at most 500 characters)',
    helpGroup: 'SAFETY',
    parse: (input) => Promise.resolve(parseReason(input)),
  }),
  'dry-run': Flags.option({options: ['none', 'client', 'server'] as const})({
    default: 'none',
    helpValue: 'client|server',
    description:
      'show what would be done: client changes nothing, server also lets the API server check the objects (--dry-run alone means client)',
    helpGroup: 'SAFETY',
  }),
};

/** Flags of commands that ask before they replace or delete. */
export const safetyFlags = {
  ...dryRunFlags,
  yes: Flags.boolean({
    char: 'y',
    description:
      'agree to what would otherwise be asked: replacing or deleting keys, certificates, Secrets, an installation',
    helpGroup: 'SAFETY',
  }),
};
