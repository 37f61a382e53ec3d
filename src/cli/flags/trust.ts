import {Flags} from '@oclif/core';

/** Overrides of refusals of commands that change a cluster's CA: one flag for each rule. */
export const trustFlags = {
  'allow-root-change': Flags.boolean({
    description:
      'write a trust bundle without a root that running workloads trust: they fail until their certificates are renewed',
    helpGroup: 'SAFETY',
  }),
  'restart-istiod': Flags.boolean({
    description: 'restart istiod where it would not load the change by itself, and wait until it is ready',
    helpGroup: 'SAFETY',
  }),
  'allow-invalid-bundle': Flags.boolean({description: 'write CA files that fail validation', helpGroup: 'SAFETY'}),
  'accept-uid': Flags.boolean({
    description: 'accept that a context points to a different cluster than the one recorded in mesh.yaml',
    helpGroup: 'SAFETY',
  }),
};

/** The rules that they override. */
export function trustRules(flags: Readonly<Record<keyof typeof trustFlags, boolean>>) {
  return {
    allowRootChange: flags['allow-root-change'],
    restartIstiod: flags['restart-istiod'],
    allowInvalidBundle: flags['allow-invalid-bundle'],
    acceptUid: flags['accept-uid'],
  };
}
