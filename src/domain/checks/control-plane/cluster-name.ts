import {apiServerCheck} from '../check.js';
import {judgeSetting} from './settings.js';

/** istiod runs with the cluster name in mesh.yaml. */
export const clusterNameCheck = apiServerCheck({
  id: 'MESH404',
  title: 'istiod runs with the declared clusterName',
  requires: ['controlPlanes'],
  implies: ['MESH412'],
  judge: ({controlPlanes}, subject) =>
    judgeSetting({name: 'clusterName', declared: subject.cluster.name, key: 'clusterID'}, controlPlanes, subject),
  meaning: 'The environment variable CLUSTER_ID of every running istiod is the cluster name in mesh.yaml.',
  breaks:
    'Proxies send this name when they request certificates, and remote secrets are keyed by it: a different name causes "client claims to be in cluster …". If it is not set, the name is Kubernetes in every cluster.',
  byHand:
    'kubectl --context "$CTX" -n istio-system get deployment istiod -o jsonpath="{.spec.template.spec.containers[0].env[?(@.name==\'CLUSTER_ID\')].value}"',
  fix: 'Render install.yaml again and apply it.',
  source:
    'istio/istio manifests/charts/istio-control/istio-discovery/templates/deployment.yaml, security/pkg/server/ca/authenticate/kubeauth/kube_jwt.go',
});
