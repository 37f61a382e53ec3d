import {canBeDataKey, istioNameOf} from '../../mesh/istio-name.js';
import {kubectlMesh} from '../../suggest/suggestion.js';
import {ok, workDirCheck} from '../check.js';

/** A remote secret can exist for each cluster. */
export const istioNameCheck = workDirCheck({
  id: 'MESH118',
  title: "Istio's name of the cluster can be the key of a remote secret",
  severity: 'warning',
  requires: ['declaration'],
  expected: 'at most 253 of the characters a-z, A-Z, 0-9, "-", "_" and "."',
  judge: (_, {cluster}) => {
    const name = istioNameOf(cluster);
    // No command changes the name of a running cluster: the explanation describes how to replace it.
    const observed = `clusterName ${name}`;
    return canBeDataKey(name) ? ok(observed) : {observed, fix: kubectlMesh('verify', ['--explain', 'MESH118'])};
  },
  meaning: "Istio's name of the cluster (istioName in mesh.yaml, otherwise name) is a valid data key of a Secret.",
  breaks:
    'Nothing within the cluster. However, other clusters cannot discover its services: the data key of a remote secret is the name of its cluster, and the API server rejects a Secret with this key, whether `istioctl create-remote-secret` or a user creates it.',
  byHand: `kubectl create secret generic test --from-literal "$CLUSTER_NAME=" --dry-run=client   # istiod's CLUSTER_ID`,
  fix: "There is no fix while the cluster runs under this name: istiod rejects proxies under another one. To connect the cluster to others, install its control plane under another name, with the tool that installed it, restart all workloads, gateways included, and then change istioName in mesh.yaml. Proxies that were not restarted fail when their certificates expire. Names with upper-case letters, underscores or dots need no new name, but `istioctl create-remote-secret` accepts only DNS labels: use --name with the cluster's name in mesh.yaml, and replace the data key in its output by istioName.",
  source:
    'kubernetes/apimachinery pkg/util/validation/validation.go (IsConfigMapKey); istio/istio pkg/kube/multicluster/secretcontroller.go (each data key is a cluster), istioctl/pkg/multicluster/remote_secret.go',
});
