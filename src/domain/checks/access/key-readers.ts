import {noClusterKeyReason, accessPathText, removeFix, unexpectedBy} from '../../access/findings.js';
import type {RbacFacts} from '../../kube/rbac.js';
import {subjectId} from '../../kube/subjects.js';
import {printableLine} from '../../printable.js';
import {apiServerCheck, type ClusterSubject, findingsOr, type Judgement, notApplicable, ok} from '../check.js';

/** Nobody reads the CA key who is not meant to. */
export const keyReadersCheck = apiServerCheck({
  id: 'MESH206',
  title: 'Nobody reads the CA key who is not meant to',
  severity: 'warning',
  needs: ['rbac'],
  waitable: false,
  expected: 'only those who are meant to (access.expected of mesh.yaml names them)',
  judge: ({rbac}, subject) => judgeReaches(rbac, subject, true),
  meaning:
    'By RBAC, only expected subjects may read Secret cacerts, cacerts-previous or istio-ca-secret: istiod and its like, controllers of Kubernetes, system:masters, holders of the operator role, and those whom `access.expected` of mesh.yaml names. Cloud IAM, access to nodes and to etcd and its backups are not visible: this is a lower bound. Judged with `--access` only.',
  breaks:
    'Whoever reads the key signs a certificate for any workload of the mesh, and no workload can tell it from a true one.',
  byHand:
    'kubectl --context "$CTX" auth can-i get secrets/cacerts -n istio-system --as USER\nkubectl --context "$CTX" get rolebindings,clusterrolebindings -A -o wide',
  mend: 'Take the subject out of the binding, as the command does, or name it under `access.expected` of mesh.yaml where it is meant to read the key. See who it is first: a tool may stop working without the right.',
  source:
    'kubernetes.io: concepts/security/rbac-good-practices (Listing secrets); kubernetes/kubernetes pkg/apis/rbac/v1/evaluation_helpers.go',
});

/** Judges who reaches the key unexpectedly: those who `read` it, or the others. Who does both is a reader: one command fixes both. */
export function judgeReaches(rbac: RbacFacts, {mesh, cluster}: ClusterSubject, read: boolean): Judgement {
  const nowhere = noClusterKeyReason(mesh);
  if (nowhere !== undefined) return notApplicable(nowhere);
  const found = unexpectedBy(rbac, mesh).filter(({readsSecret}) => readsSecret === read);
  const findings = found.map(({subject, paths}) => {
    const shown = paths.filter(({effect}) => !read || effect === 'reads').map(accessPathText);
    return {
      observed: printableLine(`${subjectId(subject)} ${shown.join('; ')}`),
      fix: removeFix(subject, paths, cluster),
    };
  });
  return findingsOr(findings, ok(`no unexpected ${read ? 'reader' : 'way'}, as far as RBAC shows`));
}
