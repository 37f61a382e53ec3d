/** Flags that select the mesh and its clusters, and limit how long to wait. */
import {Args, Flags} from '@oclif/core';
import {durationFlag} from './duration.js';

/** `[CLUSTER...]`; by default every cluster in mesh.yaml. */
export const clustersArg = Args.string({
  multiple: true,
  description: 'names of clusters (default: every cluster in mesh.yaml)',
});

/** How many clusters are processed in parallel by default: two rounds for a mesh of twenty. */
const defaultConcurrency = 10;

/** Flags of every command. */
export const workDirFlags = {
  'work-dir': Flags.string({
    char: 'w',
    env: 'WORK_DIR',
    default: '.',
    helpValue: 'DIR',
    description: 'work directory, with mesh.yaml, the root CA and a directory for each cluster',
    helpGroup: 'GLOBAL',
  }),
  timeout: durationFlag({
    description: 'abort the command after this duration, such as 30s, 5m or 1h, with exit code 124 (default: no limit)',
    helpGroup: 'GLOBAL',
  }),
  quiet: Flags.boolean({char: 'q', description: 'print only the result and errors, no progress', helpGroup: 'GLOBAL'}),
};

/** Flag of commands that process clusters in parallel. */
export const concurrencyFlags = {
  concurrency: Flags.integer({
    min: 1,
    max: 256,
    default: defaultConcurrency,
    helpValue: 'N',
    description: 'number of clusters to process in parallel, 1 to 256',
    helpGroup: 'GLOBAL',
  }),
};

/** Flag of commands that change several clusters or their files, and stop at the first failure. */
export const keepGoingFlags = {
  'keep-going': Flags.boolean({
    description: 'continue with the remaining clusters if one fails or is refused',
    helpGroup: 'GLOBAL',
  }),
};

/** Flags of commands that access clusters. */
export const clusterFlags = {
  kubeconfig: Flags.string({
    helpValue: 'FILE',
    description: 'path to the kubeconfig file (default: $KUBECONFIG, otherwise ~/.kube/config)',
    helpGroup: 'CLUSTER',
  }),
  context: Flags.string({
    helpValue: 'CONTEXT',
    description:
      'kubeconfig context, for exactly one cluster (default: contexts.yaml, otherwise mesh.yaml; the current context is never used)',
    helpGroup: 'CLUSTER',
  }),
  'istio-namespace': Flags.string({
    char: 'n',
    helpValue: 'NAMESPACE',
    description: 'Istio namespace (default: mesh.yaml, otherwise istio-system)',
    helpGroup: 'CLUSTER',
  }),
  'request-timeout': durationFlag({
    description: 'abort a single API request after this duration (default: 30s)',
    helpGroup: 'CLUSTER',
  }),
  as: Flags.string({helpValue: 'USER', description: 'username to impersonate, as in kubectl', helpGroup: 'CLUSTER'}),
  'as-group': Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'GROUP',
    dependsOn: ['as'],
    description: 'group to impersonate; requires --as; may be repeated',
    helpGroup: 'CLUSTER',
  }),
};

/** Flags of commands that access a cluster only if mesh.yaml sets one as the signer. */
export const signerClusterFlags = {
  kubeconfig: clusterFlags.kubeconfig,
  'request-timeout': clusterFlags['request-timeout'],
  as: clusterFlags.as,
  'as-group': clusterFlags['as-group'],
};

/** Flags of commands that access the clusters of a work directory. */
export const targetFlags = {...workDirFlags, ...clusterFlags};

/** The mesh that these flags and the cluster names select. */
export function meshRequest(
  flags: {readonly context?: string | undefined; readonly 'istio-namespace'?: string | undefined},
  clusters: readonly string[] = [],
) {
  return {clusters, context: flags.context, istioNamespace: flags['istio-namespace']};
}
