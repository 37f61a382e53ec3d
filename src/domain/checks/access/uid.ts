import {apiServerCheck, notApplicable, ok} from '../check.js';
import {recordContextsByUid} from './contexts-by-uid.js';

/** The context leads to the cluster it led to at first contact. */
export const uidCheck = apiServerCheck({
  id: 'MESH203',
  title: 'The context leads to the recorded cluster',
  needs: ['clusterUid'],
  waitable: false,
  implies: ['MESH116', 'MESH206', 'MESH207', 'MESH208', 'MESH3', 'MESH4', 'MESH5'],
  judge: ({clusterUid}, {cluster, mesh}) => {
    if (cluster.uid === undefined) {
      return notApplicable('no UID is recorded yet; the first changing command records it');
    }
    const expected = `kube-system with UID ${cluster.uid}`;
    if (clusterUid === cluster.uid) return ok(`UID ${clusterUid}`, expected);
    return {
      observed: `context ${cluster.context ?? ''} leads to a cluster with UID ${clusterUid}`,
      expected,
      fix: recordContextsByUid(mesh),
    };
  },
  meaning:
    'The UID of the namespace kube-system is the one that mesh.yaml recorded when the cluster was first changed.',
  breaks:
    "A renamed or rebuilt context sends one cluster's CA key to another cluster. Changing commands refuse (exit 5) before they write.",
  byHand: 'kubectl --context "$CTX" get namespace kube-system -o jsonpath={.metadata.uid}',
  mend: 'Record the right context with `kubectl mesh init CLUSTER=CONTEXT`; the command shown asks the clusters of your contexts which is which. If the cluster was rebuilt on purpose, run the changing command with `--accept-uid`.',
  source:
    'kubernetes.io: concepts/overview/working-with-objects/names (UIDs); istioctl uses the same UID as default cluster name',
});
