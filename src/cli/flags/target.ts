/** Flags that say which mesh, which clusters, and how long to wait. */
import {Args, Flags} from '@oclif/core';
import {durationFlag} from './duration.js';

/** `[CLUSTER...]`: none means every cluster of mesh.yaml. */
export const clustersArg = Args.string({
  multiple: true,
  description: 'clusters by name; none means every cluster of mesh.yaml',
});

/** How many clusters are worked on at the same time when nothing is said: two rounds for a mesh of twenty. */
const defaultConcurrency = 10;

/** Flags of every command. */
export const workDirFlags = {
  'work-dir': Flags.string({
    char: 'w',
    env: 'WORK_DIR',
    default: '.',
    helpValue: 'DIR',
    description: 'the work directory: mesh.yaml, the root CA and a folder for each cluster',
    helpGroup: 'GLOBAL',
  }),
  timeout: durationFlag({description: 'give the whole command up after this time (exit 124)', helpGroup: 'GLOBAL'}),
  quiet: Flags.boolean({char: 'q', description: 'no progress, only the result and errors', helpGroup: 'GLOBAL'}),
};

/** Flag of commands that work on several clusters at the same time. */
export const concurrencyFlags = {
  concurrency: Flags.integer({
    min: 1,
    max: 256,
    default: defaultConcurrency,
    description: 'clusters worked on at the same time',
    helpGroup: 'GLOBAL',
  }),
};

/** Flag of commands that change several clusters, or write for them, and stop at the first that fails. */
export const keepGoingFlags = {
  'keep-going': Flags.boolean({
    description: 'go on with other clusters after one failed or was refused',
    helpGroup: 'GLOBAL',
  }),
};

/** Flags of commands that talk to clusters. */
export const clusterFlags = {
  kubeconfig: Flags.string({helpValue: 'FILE', description: 'kubeconfig, as kubectl takes it', helpGroup: 'CLUSTER'}),
  context: Flags.string({
    helpValue: 'CONTEXT',
    description: 'kubeconfig context of the one cluster named; the current context is never used',
    helpGroup: 'CLUSTER',
  }),
  'istio-namespace': Flags.string({
    char: 'n',
    helpValue: 'NAMESPACE',
    description: "Istio's namespace (istio-system when neither this nor mesh.yaml says)",
    helpGroup: 'CLUSTER',
  }),
  'request-timeout': durationFlag({description: 'give one API request up after this time', helpGroup: 'CLUSTER'}),
  as: Flags.string({helpValue: 'USER', description: 'impersonate this user, as kubectl does', helpGroup: 'CLUSTER'}),
  'as-group': Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'GROUP',
    dependsOn: ['as'],
    description: 'impersonate this group; may be repeated',
    helpGroup: 'CLUSTER',
  }),
};

/** Flags of commands that talk to clusters only where the mesh's signer is in one, which mesh.yaml names. */
export const signerClusterFlags = {
  kubeconfig: clusterFlags.kubeconfig,
  'request-timeout': clusterFlags['request-timeout'],
  as: clusterFlags.as,
  'as-group': clusterFlags['as-group'],
};

/** Flags of commands that talk to the clusters of a work directory. */
export const targetFlags = {...workDirFlags, ...clusterFlags};

/** What these and the names of clusters tell about the mesh. */
export function meshRequest(
  flags: {readonly context?: string | undefined; readonly 'istio-namespace'?: string | undefined},
  clusters: readonly string[] = [],
) {
  return {clusters, context: flags.context, istioNamespace: flags['istio-namespace']};
}
