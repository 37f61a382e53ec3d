import {Flags} from '@oclif/core';
import {durationFlag} from './duration.js';

/** istioctl's own default for --readiness-timeout (istio/istio operator/cmd/mesh/install.go). */
const readinessTimeoutMs = 300_000;

/** Settings of install.yaml that mesh.yaml does not contain. */
export const renderFlags = {
  'mesh-id': Flags.string({helpValue: 'ID', description: 'Istio mesh ID; required if mesh.yaml does not set it'}),
  network: Flags.string({
    helpValue: 'NETWORK',
    description: 'Istio network of the given clusters; required if mesh.yaml does not set it',
  }),
  'istio-version': Flags.string({
    helpValue: 'VERSION',
    description:
      "Istio version to render for, such as 1.30 or 1.30.3 (default: mesh.yaml, otherwise istioctl's version)",
  }),
};

/** How istioctl is run, and the overrides of refusals: one flag for each rule. */
export const applyFlags = {
  'readiness-timeout': durationFlag({
    default: readinessTimeoutMs,
    // oclif would print milliseconds.
    defaultHelp: () => Promise.resolve('5m'),
    description: 'time to wait for each component to become ready, and for the address of an east-west gateway',
  }),
  upgrade: Flags.boolean({
    description: 'allow istioctl to change the running Istio version to its own',
    helpGroup: 'SAFETY',
  }),
  'force-version': Flags.boolean({
    description:
      'allow a downgrade, an upgrade that skips a minor version, or a Kubernetes version that is too new; Istio supports none of these',
    helpGroup: 'SAFETY',
  }),
  'take-over': Flags.boolean({
    description: 'allow istioctl to overwrite objects that Helm, Argo CD or another installer manages',
    helpGroup: 'SAFETY',
  }),
};
