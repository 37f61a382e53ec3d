import {apiServerCheck} from '../check.js';
import {judgeReaches} from './key-readers.js';

/** Nobody reaches the CA key in another way, or replaces it, who is not meant to. */
export const keyWaysCheck = apiServerCheck({
  id: 'MESH207',
  title: 'Nobody reaches the CA key through workloads, identities or roles, or replaces it',
  severity: 'warning',
  needs: ['rbac'],
  waitable: false,
  expected: 'only those who are meant to (access.expected of mesh.yaml names them)',
  // Those who can also read it belong to MESH206.
  judge: ({rbac}, subject) => judgeReaches(rbac, subject, false),
  meaning:
    "By RBAC, only expected subjects may run or change workloads in Istio's namespace, exec into istiod or put containers into its pods, reach kubelets (nodes/proxy), act as somebody who reaches the key, get a token of a service account that does, run programs in pods beside one, give themselves roles, or write Secret cacerts. Judged with `--access` only; a lower bound, as with MESH206.",
  breaks:
    'A pod in that namespace can mount Secret cacerts, and whoever acts as another has the rights of that other: both read the key. Whoever writes the Secret puts a CA of their own into it.',
  byHand:
    'kubectl --context "$CTX" auth can-i create pods -n istio-system --as USER\nkubectl --context "$CTX" auth can-i create pods --subresource=exec -n istio-system --as USER\nkubectl --context "$CTX" auth can-i impersonate users --as USER',
  mend: 'Take the subject out of the binding, as the command does, or name it under `access.expected` of mesh.yaml where that is meant. See who it is first: a tool may stop working without the right.',
  source: 'kubernetes.io: concepts/security/rbac-good-practices (Privilege escalation risks)',
});
