import {apiServerCheck, ok} from '../check.js';

/** The API server answers. When it does not, nothing in the cluster can be told. */
export const reachableCheck = apiServerCheck({
  id: 'MESH201',
  title: 'The API server answers',
  needs: ['apiVersion'],
  // MESH102 looks into the cluster where the work directory holds nothing.
  implies: ['MESH102', 'MESH116', 'MESH2', 'MESH3', 'MESH4', 'MESH5'],
  judge: ({apiVersion}) => ok(`Kubernetes ${apiVersion.gitVersion}`, 'an answer'),
  meaning: "The cluster's API server answers kubectl through the context that is recorded for the cluster.",
  breaks: 'Nothing by itself: it is only unknown whether the cluster is well. Unknown is never reported as healthy.',
  byHand: 'kubectl --context "$CTX" version',
  mend: 'Check VPN, kubeconfig and credentials with the command above; name another context with `--context` or in contexts.yaml.',
  source: 'kubernetes.io: reference/using-api/health-checks',
});
