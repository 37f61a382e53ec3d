import {apiServerCheck, findingsOr, notApplicable, ok, type Finding} from '../check.js';
import type {MeshCluster} from '../../mesh/mesh.js';
import {listContextsWithUid, recordContextsByUid} from './contexts-by-uid.js';

/** Two names are two clusters. */
export const distinctCheck = apiServerCheck({
  id: 'MESH204',
  title: 'Every name is a cluster of its own',
  scope: 'mesh',
  needs: ['clusterUid'],
  waitable: false,
  // What is seen under the second name is another cluster's.
  implies: ['MESH116', 'MESH203', 'MESH206', 'MESH207', 'MESH208', 'MESH3', 'MESH4', 'MESH5'],
  expected: 'another cluster behind each name',
  judge: ({clusterUid}, {mesh}) => {
    if (clusterUid.length < 2) return notApplicable('there are no two clusters that could be confused');
    const findings = clusterUid.map(({cluster, value}, index): Finding | undefined => {
      const first = clusterUid.slice(0, index).find((other) => other.value === value);
      if (!first) return undefined;
      return {
        observed: `${first.cluster.name} and ${cluster.name} are both the cluster with UID ${value}`,
        clusters: [first.cluster.name, cluster.name],
        fix: isRecorded(first.cluster) && isRecorded(cluster) ? recordContextsByUid(mesh) : listContextsWithUid(),
      };
    });
    return findingsOr(findings, ok(`${String(clusterUid.length)} clusters`));
  },
  meaning: 'No two clusters of mesh.yaml are reached as the same Kubernetes cluster.',
  breaks:
    'The second name overwrites the CA of the first, and istiod of that cluster calls itself by one of the two names.',
  byHand: 'kubectl --context "$CTX" get namespace kube-system -o jsonpath={.metadata.uid}   # for each cluster',
  mend: 'Record another context for one of them with `kubectl mesh init CLUSTER=CONTEXT`. The command shown asks the clusters of your contexts for their UIDs; where mesh.yaml knows those of both, it records the right contexts.',
  source: 'kubernetes.io: concepts/overview/working-with-objects/names (UIDs)',
});

/** Whether it is known which cluster the name was meant for. */
function isRecorded({uid}: MeshCluster): boolean {
  return uid !== undefined;
}
