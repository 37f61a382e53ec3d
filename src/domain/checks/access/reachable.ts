import {apiServerCheck, ok} from '../check.js';

/** The API server responds. Otherwise everything in the cluster is unknown. */
export const reachableCheck = apiServerCheck({
  id: 'MESH201',
  title: 'The API server is reachable',
  requires: ['apiVersion'],
  // MESH102 reads the cluster if the work directory holds no CA.
  implies: ['MESH102', 'MESH115', 'MESH116', 'MESH2', 'MESH3', 'MESH4', 'MESH5', 'MESH6'],
  judge: ({apiVersion}) => ok(`Kubernetes ${apiVersion.gitVersion}`, 'a response'),
  meaning: "The cluster's API server responds to kubectl through the context recorded for the cluster.",
  breaks: 'Nothing by itself, but the state of the cluster is unknown, and unknown is never reported as healthy.',
  byHand: 'kubectl --context "$CTX" version',
  fix: 'Check your network or VPN, kubeconfig and credentials with the command above, or set another context with `--context` or in contexts.yaml.',
  source: 'kubernetes.io: reference/using-api/health-checks',
});
