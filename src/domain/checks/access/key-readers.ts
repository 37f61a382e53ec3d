import {noClusterKeyReason, accessPathText, removeFix, unexpectedSubjects} from '../../access/findings.js';
import type {ClusterFactValues} from '../../facts/facts.js';
import {subjectId} from '../../kube/subjects.js';
import {printableLine} from '../../printable.js';
import {apiServerCheck, type ClusterSubject, findingsOr, type Judgement, notApplicable, ok} from '../check.js';

/** Only expected subjects can read the CA key. */
export const keyReadersCheck = apiServerCheck({
  id: 'MESH206',
  title: 'Only expected subjects can read the CA key',
  severity: 'warning',
  requires: ['rbac'],
  optional: ['caSources'],
  waitable: false,
  expected: 'expected subjects only (see access.expected in mesh.yaml)',
  judge: (facts, subject) => judgeAccess(facts, subject, true),
  meaning:
    'By RBAC, only expected subjects can read Secrets cacerts, cacerts-previous, istio-ca-secret and the one that istiod mounts. Expected subjects are istiod and other Istio components, Kubernetes controllers, system:masters, subjects with the operator role, and the subjects in `access.expected` in mesh.yaml. Access through cloud IAM, nodes, etcd and its backups is not visible, so the result is a lower bound. Requires `--access`.',
  breaks:
    'A subject that can read the key can sign a certificate for any workload of the mesh, indistinguishable from a genuine one.',
  byHand:
    'kubectl --context "$CTX" auth can-i get secrets/cacerts -n istio-system --as USER\nkubectl --context "$CTX" get rolebindings,clusterrolebindings -A -o wide',
  fix: 'Remove the subject from the binding with the suggested command, or add it to `access.expected` in mesh.yaml if the access is intended. Identify the subject first: a tool may stop working without the permission.',
  source:
    'kubernetes.io: concepts/security/rbac-good-practices (Listing secrets); kubernetes/kubernetes pkg/apis/rbac/v1/evaluation_helpers.go',
});

/** The facts that both checks use. */
type AccessFacts = Pick<ClusterFactValues, 'rbac'> & Partial<Pick<ClusterFactValues, 'caSources'>>;

/** Judges unexpected subjects: those that can `read` the key, or the others. One command fixes both kinds of a reader's access. */
export function judgeAccess({rbac, caSources}: AccessFacts, {mesh, cluster}: ClusterSubject, read: boolean): Judgement {
  const reason = noClusterKeyReason(mesh);
  if (reason !== undefined) return notApplicable(reason);
  const found = unexpectedSubjects(rbac, mesh, caSources).filter(({readsSecret}) => readsSecret === read);
  const findings = found.map(({subject, paths}) => {
    const shown = paths.filter(({effect}) => !read || effect === 'reads').map(accessPathText);
    return {
      observed: printableLine(`${subjectId(subject)} ${shown.join('; ')}`),
      fix: removeFix(subject, paths, cluster),
    };
  });
  return findingsOr(findings, ok(`no unexpected ${read ? 'reader' : 'access path'} by RBAC`));
}
