import {Flags} from '@oclif/core';
import {MeshError} from '../../domain/errors.js';
import {printableLine} from '../../domain/printable.js';

/** Enough for a ticket and a sentence; every journal entry of a run contains it. Characters. */
const maxReasonLength = 500;

/** A reason as it is recorded. Throws `USAGE` if it is empty, too long, or not one printable line. */
function parseReason(input: string): string {
  const reason = input.trim();
  if (reason === '') throw new MeshError('USAGE', 'invalid --reason: must not be empty');
  if (reason.length > maxReasonLength) {
    const [limit, length] = [String(maxReasonLength), String(reason.length)];
    throw new MeshError('USAGE', `invalid --reason: must be at most ${limit} characters, not ${length}`);
  }
  if (printableLine(reason) !== reason.replace(/ {2,}/g, ' ')) {
    throw new MeshError('USAGE', 'invalid --reason: must be one line of printable characters');
  }
  return reason;
}

/** Flags of every command that makes changes. */
export const dryRunFlags = {
  reason: Flags.string({
    env: 'KUBECTL_MESH_REASON',
    helpValue: 'TEXT',
    description: 'reason to record in the journal, such as a ticket number; one line of at most 500 characters',
    helpGroup: 'SAFETY',
    parse: (input) => Promise.resolve(parseReason(input)),
  }),
  'dry-run': Flags.option({options: ['none', 'client', 'server'] as const})({
    default: 'none',
    helpValue: 'none|client|server',
    description:
      'print the plan without making changes; with server, the API server also validates the objects (--dry-run alone means client)',
    helpGroup: 'SAFETY',
  }),
};

/** Flags of commands that prompt before they replace or delete. */
export const safetyFlags = {
  ...dryRunFlags,
  yes: Flags.boolean({
    char: 'y',
    description: 'skip confirmation prompts for replacing or deleting keys, certificates, Secrets and installations',
    helpGroup: 'SAFETY',
  }),
};
