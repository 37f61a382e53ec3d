import {Flags} from '@oclif/core';
import {durationFlag} from './duration.js';

/** istioctl's own default for --readiness-timeout (istio/istio operator/cmd/mesh/install.go). */
const readinessTimeoutMs = 300_000;

/** What install.yaml is rendered with, where mesh.yaml does not say. */
export const renderFlags = {
  'mesh-id': Flags.string({helpValue: 'ID', description: "Istio's mesh ID, where mesh.yaml does not declare it"}),
  network: Flags.string({
    helpValue: 'NETWORK',
    description: "Istio's network of the clusters named, where mesh.yaml does not declare it",
  }),
  'istio-version': Flags.string({
    helpValue: 'VERSION',
    description: 'the Istio version to write for, 1.30 or 1.30.3; without it mesh.yaml says, or istioctl is asked',
  }),
};

/** How istioctl is run, and what overrides a refusal to run it: one flag for each. */
export const applyFlags = {
  'readiness-timeout': durationFlag({
    default: readinessTimeoutMs,
    // oclif would print milliseconds.
    defaultHelp: () => Promise.resolve('5m'),
    description: 'how long istioctl waits for each component to become ready',
  }),
  upgrade: Flags.boolean({description: 'let istioctl replace the version that runs by its own', helpGroup: 'SAFETY'}),
  'force-version': Flags.boolean({
    description: 'let istioctl go back to an older version or skip a minor version, which Istio does not support',
    helpGroup: 'SAFETY',
  }),
  'take-over': Flags.boolean({
    description: 'let istioctl overwrite what Helm, Argo CD or another installer manages',
    helpGroup: 'SAFETY',
  }),
};
