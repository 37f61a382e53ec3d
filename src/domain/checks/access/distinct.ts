import {apiServerCheck, findingsOr, notApplicable, ok, type Finding} from '../check.js';
import type {MeshCluster} from '../../mesh/mesh.js';
import {listContextsWithUid, recordContextsByUid} from './contexts-by-uid.js';

/** No two names refer to the same cluster. */
export const distinctCheck = apiServerCheck({
  id: 'MESH204',
  title: 'Each cluster name refers to a different cluster',
  scope: 'mesh',
  requires: ['clusterUid'],
  waitable: false,
  // Everything observed under the second name belongs to another cluster.
  implies: ['MESH116', 'MESH203', 'MESH206', 'MESH207', 'MESH208', 'MESH3', 'MESH4', 'MESH5', 'MESH6'],
  expected: 'a different cluster for each name',
  judge: ({clusterUid}, {mesh}) => {
    if (clusterUid.length < 2) return notApplicable('fewer than two clusters');
    const findings = clusterUid.map(({cluster, value}, index): Finding | undefined => {
      const first = clusterUid.slice(0, index).find((other) => other.value === value);
      if (!first) return undefined;
      return {
        observed: `${first.cluster.name} and ${cluster.name} are the same cluster, with UID ${value}`,
        clusters: [first.cluster.name, cluster.name],
        fix: isRecorded(first.cluster) && isRecorded(cluster) ? recordContextsByUid(mesh) : listContextsWithUid(),
      };
    });
    return findingsOr(findings, ok(`${String(clusterUid.length)} clusters`));
  },
  meaning: 'No two clusters in mesh.yaml have contexts that point to the same Kubernetes cluster.',
  breaks:
    'A push for the second name overwrites the CA of the first, and the istiod of that cluster has only one of the two cluster names.',
  byHand: 'kubectl --context "$CTX" get namespace kube-system -o jsonpath={.metadata.uid}   # for each cluster',
  fix: 'Record a different context for one of them with `kubectl mesh init CLUSTER=CONTEXT`. The suggested command reads the cluster UID behind each of your contexts; if mesh.yaml has the UIDs of both clusters, it also records the correct contexts.',
  source: 'kubernetes.io: concepts/overview/working-with-objects/names (UIDs)',
});

/** Whether mesh.yaml identifies the cluster that the name refers to. */
function isRecorded({uid}: MeshCluster): boolean {
  return uid !== undefined;
}
