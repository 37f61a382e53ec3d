import {defineCheck, findingsOr, notApplicable, ok, type Finding, type OfCluster} from '../check.js';
import {listContextsWithUid, recordContextsByUid} from './contexts-by-uid.js';

const expected = 'another cluster behind each name';

/** Two names are two clusters. */
export const distinctCheck = defineCheck({
  id: 'MESH204',
  title: 'Every name is a cluster of its own',
  severity: 'error',
  scope: 'mesh',
  vantage: 'API server',
  needs: ['clusterUid'],
  waitable: false,
  // What is seen under the second name is another cluster's.
  implies: ['MESH116', 'MESH203', 'MESH206', 'MESH207', 'MESH208', 'MESH3', 'MESH4', 'MESH5'],
  judge: ({clusterUid}, {mesh}) => {
    if (clusterUid.length < 2) return notApplicable('there are no two clusters that could be confused');
    const findings = clusterUid.flatMap(({cluster, value}, index): readonly Finding[] => {
      const first = clusterUid.slice(0, index).find((other) => other.value === value);
      if (!first) return [];
      return [
        {
          observed: `${first.cluster.name} and ${cluster.name} are both the cluster with UID ${value}`,
          expected,
          clusters: [first.cluster.name, cluster.name],
          fix: isRecorded(first) && isRecorded({cluster}) ? recordContextsByUid(mesh) : listContextsWithUid(),
        },
      ];
    });
    return findingsOr(findings, () => ok(`${String(clusterUid.length)} clusters`, expected));
  },
  explanation: {
    meaning: 'No two clusters of mesh.yaml are reached as the same Kubernetes cluster.',
    breaks:
      'The second name overwrites the CA of the first, and istiod of that cluster calls itself by one of the two names.',
    byHand: 'kubectl --context "$CTX" get namespace kube-system -o jsonpath={.metadata.uid}   # for each cluster',
    mend: 'Record another context for one of them with `kubectl mesh init CLUSTER=CONTEXT`. The command shown asks the clusters of your contexts for their UIDs; where mesh.yaml knows those of both, it records the right contexts.',
    source: 'kubernetes.io: concepts/overview/working-with-objects/names (UIDs)',
  },
});

/** Whether it is known which cluster the name was meant for. */
function isRecorded({cluster}: Pick<OfCluster<string>, 'cluster'>): boolean {
  return cluster.uid !== undefined;
}
