import {apiServerCheck} from '../check.js';
import {judgeAccess} from './key-readers.js';

/** Only expected subjects can reach the CA key indirectly, or replace it. */
export const keyPathsCheck = apiServerCheck({
  id: 'MESH207',
  title: 'Only expected subjects can reach the CA key indirectly, or replace it',
  severity: 'warning',
  requires: ['rbac'],
  optional: ['caSources'],
  waitable: false,
  expected: 'expected subjects only (see access.expected in mesh.yaml)',
  // Subjects that can also read the key are reported by MESH206.
  judge: (facts, subject) => judgeAccess(facts, subject, false),
  meaning:
    "By RBAC, only expected subjects can create or change workloads in Istio's namespace, exec into istiod or add containers to its pods, access kubelets (nodes/proxy), impersonate a subject that can reach the key, request a token for a service account that can, exec into pods that run as one, grant themselves roles, or write Secret cacerts. Requires `--access`. The result is a lower bound, as for MESH206.",
  breaks:
    'A pod in that namespace can mount Secret cacerts, and a subject that impersonates another has its permissions: both can read the key. A subject that can write the Secret can replace the CA with its own.',
  byHand:
    'kubectl --context "$CTX" auth can-i create pods -n istio-system --as USER\nkubectl --context "$CTX" auth can-i create pods --subresource=exec -n istio-system --as USER\nkubectl --context "$CTX" auth can-i impersonate users --as USER',
  fix: 'Remove the subject from the binding with the suggested command, or add it to `access.expected` in mesh.yaml if the access is intended. Identify the subject first: a tool may stop working without the permission.',
  source: 'kubernetes.io: concepts/security/rbac-good-practices (Privilege escalation risks)',
});
