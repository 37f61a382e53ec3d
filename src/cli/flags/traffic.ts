/** Flags of `verify --traffic`. */
import {Flags} from '@oclif/core';
import {durationFlag} from './duration.js';
import {dryRunFlags} from './safety.js';

const dependsOn = ['traffic'];

export const trafficFlags = {
  traffic: Flags.boolean({
    description:
      'also create pods in a namespace of each cluster, send requests between them, and remove everything at the end',
    exclusive: ['offline'],
  }),
  'traffic-timeout': durationFlag({
    description: 'with --traffic: how long requests may fail before that is a finding (default: 45s)',
    dependsOn,
  }),
  reason: dryRunFlags.reason,
  'dry-run': Flags.option({options: ['none', 'client'] as const})({
    helpValue: 'none|client',
    description: 'with --traffic: print what would be created, without creating it (--dry-run alone means client)',
    helpGroup: 'SAFETY',
    dependsOn,
  }),
};
