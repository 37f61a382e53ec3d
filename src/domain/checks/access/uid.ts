import {apiServerCheck, notApplicable, ok} from '../check.js';
import {recordContextsByUid} from './contexts-by-uid.js';

/** The context still points to the cluster whose UID mesh.yaml records. */
export const uidCheck = apiServerCheck({
  id: 'MESH203',
  title: 'The context points to the recorded cluster',
  requires: ['clusterUid'],
  waitable: false,
  implies: ['MESH116', 'MESH206', 'MESH207', 'MESH208', 'MESH3', 'MESH4', 'MESH5', 'MESH6'],
  judge: ({clusterUid}, {cluster, mesh}) => {
    if (cluster.uid === undefined) {
      return notApplicable('no UID is recorded yet; the first command that changes the cluster records it');
    }
    const expected = `cluster UID ${cluster.uid}`;
    if (clusterUid === cluster.uid) return ok(`UID ${clusterUid}`, expected);
    return {
      observed: `context ${cluster.context ?? ''} points to a cluster with UID ${clusterUid}`,
      expected,
      fix: recordContextsByUid(mesh),
    };
  },
  meaning:
    'The UID of namespace kube-system is the one that mesh.yaml records. The first command that changes a cluster records it.',
  breaks:
    "A push through a renamed or rebuilt context sends one cluster's CA key to another cluster. Commands that change the cluster refuse to write (exit code 5).",
  byHand: 'kubectl --context "$CTX" get namespace kube-system -o jsonpath={.metadata.uid}',
  fix: 'Record the correct context with `kubectl mesh init CLUSTER=CONTEXT`. The suggested command reads the cluster UID behind each of your contexts to find it. If the cluster was recreated intentionally, run the next command that changes it with `--accept-uid`.',
  source:
    'kubernetes.io: concepts/overview/working-with-objects/names (UIDs); istioctl uses the same UID as the default cluster name',
});
