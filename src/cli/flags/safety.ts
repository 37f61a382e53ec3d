import {Flags} from '@oclif/core';

/** Flags of every command that changes something. */
export const safetyFlags = {
  'dry-run': Flags.option({options: ['none', 'client', 'server'] as const})({
    default: 'none',
    helpValue: 'client|server',
    description:
      'show what would be done: client changes nothing, server also lets the API server check the objects (--dry-run alone means client)',
    helpGroup: 'SAFETY',
  }),
  yes: Flags.boolean({
    char: 'y',
    description:
      'agree to what would otherwise be asked: replacing or deleting keys, certificates, Secrets, an installation',
    helpGroup: 'SAFETY',
  }),
};
