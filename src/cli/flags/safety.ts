import {Flags} from '@oclif/core';

/** Flag of every command that changes something. */
export const dryRunFlags = {
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
