import {Flags} from '@oclif/core';

/** What overrides a refusal of a command that changes a cluster's CA: one flag for each. */
export const trustFlags = {
  'allow-root-change': Flags.boolean({
    description: 'write a bundle without a root that running workloads trust: they break until they have renewed',
    helpGroup: 'SAFETY',
  }),
  'restart-istiod': Flags.boolean({
    description: 'restart an istiod that would not load the change by itself, and wait for it',
    helpGroup: 'SAFETY',
  }),
  'allow-invalid-bundle': Flags.boolean({description: 'write CA files that fail the checks', helpGroup: 'SAFETY'}),
  'accept-uid': Flags.boolean({
    description: 'accept that a context leads to another cluster than the one recorded in mesh.yaml',
    helpGroup: 'SAFETY',
  }),
};

/** What they override. */
export function trustRules(flags: Readonly<Record<keyof typeof trustFlags, boolean>>) {
  return {
    allowRootChange: flags['allow-root-change'],
    restartIstiod: flags['restart-istiod'],
    allowInvalidBundle: flags['allow-invalid-bundle'],
    acceptUid: flags['accept-uid'],
  };
}
