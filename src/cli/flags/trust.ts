import {Flags} from '@oclif/core';

/** Overrides of refusals of commands that change a cluster's CA: one flag for each rule. */
export const trustFlags = {
  'allow-root-change': Flags.boolean({
    description:
      'write a trust bundle that lacks a root that running workloads trust: their connections fail until their certificates are renewed',
    helpGroup: 'SAFETY',
  }),
  'restart-istiod': Flags.boolean({
    description: 'restart istiod if it would not load the change otherwise, and wait until it is ready',
    helpGroup: 'SAFETY',
  }),
  'allow-invalid-bundle': Flags.boolean({description: 'write CA files that fail validation', helpGroup: 'SAFETY'}),
  'allow-unmounted': Flags.boolean({
    description: 'write Secret cacerts although istiod reads its CA from another place',
    helpGroup: 'SAFETY',
  }),
  'accept-uid': Flags.boolean({
    description: 'accept a cluster whose UID differs from the one in mesh.yaml, and record its UID',
    helpGroup: 'SAFETY',
  }),
};

/** The rules that they override. */
export function trustRules(flags: Readonly<Record<keyof typeof trustFlags, boolean>>) {
  return {
    allowRootChange: flags['allow-root-change'],
    restartIstiod: flags['restart-istiod'],
    allowInvalidBundle: flags['allow-invalid-bundle'],
    allowUnmounted: flags['allow-unmounted'],
    acceptUid: flags['accept-uid'],
  };
}
