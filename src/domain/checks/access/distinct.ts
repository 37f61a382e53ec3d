import {defineCheck, findingsOr, notApplicable, ok} from '../check.js';
import type {Finding} from '../check.js';

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
  implies: ['MESH203'],
  judge: ({clusterUid}, {commands}) => {
    if (clusterUid.length < 2) return notApplicable('there are no two clusters that could be confused');
    const findings = clusterUid.flatMap(({cluster, value}, index): readonly Finding[] => {
      const first = clusterUid.slice(0, index).find((other) => other.value === value);
      if (!first) return [];
      return [
        {
          observed: `${first.cluster.name} and ${cluster.name} are both the cluster with UID ${value}`,
          expected,
          fix: commands.mesh(`init ${cluster.name}=CONTEXT`),
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
    mend: 'Record another context for one of them with `kubectl mesh init CLUSTER=CONTEXT`.',
    source: 'kubernetes.io: concepts/overview/working-with-objects/names (UIDs)',
  },
});
